"""How a regulariser's strength changes over a run."""

from __future__ import annotations

from core.run.spec import RegulariserSpec


def strength_at(spec: RegulariserSpec, epoch: float) -> float:
    """λ after ``epoch`` epochs (a float: half-way through the third is 2.5), by the spec's schedule."""
    assert spec.strength is not None
    if 0 < spec.release_epochs <= epoch:
        return 0.0
    if epoch >= spec.warmup_epochs:
        return spec.strength
    if spec.schedule == "step":
        return 0.0
    share = epoch / spec.warmup_epochs
    if spec.schedule == "cubic":  # steep at first: Zhu & Gupta 2017, arXiv 1710.01878, eq. 1
        return spec.strength * (1 - (1 - share) ** 3)
    return spec.strength * epoch / spec.warmup_epochs
