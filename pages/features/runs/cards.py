"""Runs as cards: press one, or drag one onto another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.run.figures import result_of
from core.store.store import StoredRun
from core.text.describe import title
from core.text.seeds import seeds_in_words
from pages.components.run_cards import Card, run_cards
from pages.features.runs.comparison import NAME
from pages.features.runs.opening import open_run


def cards(runs: Sequence[StoredRun], apart: Mapping[str, str]) -> None:
    """Draw them.

    Args:
        apart: of each run, by its id, what sets it apart from the one before it; may be empty.
    """
    run_cards([_card(run, apart[run.id]) for run in runs], key="runs.cards", on_asked=_asked)


def _card(run: StoredRun, apart: str) -> Card:
    summary: dict[str, Any] = dict(run.summary or {})
    accuracy = result_of(summary).get("validation_accuracy") if summary else None
    said = run.state if accuracy is None else f"{100 * accuracy:.1f} % · {run.state}"
    marks = " ".join([*(["★"] if run.starred else []), *run.tags])
    curve = tuple(summary.get("curve") or ())
    return Card(run.id, title(run.spec), said, apart or seeds_in_words(run.spec), marks, curve)


def _asked(ids: list[str]) -> None:
    """Open a run, or compare two; for the cards' callback."""
    if len(ids) > 1:
        st.query_params[NAME] = ",".join(ids)
    else:
        open_run(ids[0])
