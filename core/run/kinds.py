"""The kinds of jobs that are runs: what they leave is a network with its weights, measured epoch by epoch."""

from __future__ import annotations

TRAIN, TRANSFORM = "train", "transform"
RUNS = (TRAIN, TRANSFORM)


def is_run(kind: str) -> bool:
    """Whether jobs of a kind are runs, which lists show."""
    return kind in RUNS
