"""How a regulariser's strength changes over a run."""

from __future__ import annotations

from core.run.spec import RegulariserSpec


def strength_at(spec: RegulariserSpec, epoch: float) -> float:
    """λ after ``epoch`` epochs (a float: half-way through the third is 2.5), by the spec's schedule."""
    assert spec.strength is not None
    if epoch >= spec.warmup_epochs:
        return spec.strength
    return spec.strength * epoch / spec.warmup_epochs if spec.schedule == "linear" else 0.0
