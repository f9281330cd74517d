"""Where the runs of a file come from, in words."""

from __future__ import annotations

from core.export.source import Source
from core.figures.epochs_csv import VERSIONS, identity
from core.store.store import is_run_id
from core.text.seeds import seeds_in_words

NAMES = {"augury": "Augury", "torch": "torch", "kornia": "Kornia"}


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
    return f"{', '.join([f'Run {short_id(run)}', seeds_in_words(run.spec), *made_by])}."
