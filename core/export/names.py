"""What runs are called in a file, and where they come from, in words."""

from __future__ import annotations

from collections.abc import Sequence

from core.export.source import Source
from core.figures.epochs_csv import VERSIONS, identity
from core.store.store import is_run_id
from core.text.describe import title

NAMES = {"augury": "Augury", "torch": "torch", "kornia": "Kornia"}


def names_of(runs: Sequence[Source]) -> list[str]:
    """What each is called; of those that are called alike with its seed, or else its number, too."""
    titles = [title(run.spec) for run in runs]
    seeds = [(name, run.spec.seed) for name, run in zip(titles, runs, strict=True)]
    return [
        name
        if titles.count(name) == 1
        else f"{name}, seed {seed}"
        if seeds.count((name, seed)) == 1
        else f"{name}, run {i}"
        for i, (name, seed) in enumerate(seeds, 1)
    ]


def short_id(run: Source) -> str:
    """Eight letters of its id, or its folder's name."""
    return run.id[:8] if is_run_id(run.id) else run.id


def versions_of(run: Source) -> dict[str, str]:
    """By which versions it was computed, e.g. ``{"Augury": "0.1.0"}``; of an older run some are not known."""
    told = identity(run.history, run.id, run.spec)
    return {NAMES[name]: said for name in VERSIONS if (said := str(told[f"{name}_version"]))}


def origin(run: Source) -> str:
    """E.g. ``Run 3fa2c1d0, seed 0, Augury 0.1.0, torch 2.13.0, Kornia 0.9.0.``"""
    made_by = (f"{name} {said}" for name, said in versions_of(run).items())
    return f"{', '.join([f'Run {short_id(run)}', f'seed {run.spec.seed}', *made_by])}."
