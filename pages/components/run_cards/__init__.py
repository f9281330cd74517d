"""Runs as cards, each with its curve: press one to open it, drag one onto another to compare the two."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import streamlit as st
from pydantic import Field, TypeAdapter, ValidationError

_ASSETS = Path(__file__).parent
_run_cards = st.components.v2.component(
    "augury_run_cards",
    html='<div class="run-cards"><ul role="list"></ul><p class="told" role="status"></p></div>',
    css=(_ASSETS / "run_cards.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "run_cards.js").read_text(encoding="utf-8"),
)
_ASKED = TypeAdapter(
    Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]], Field(min_length=1, max_length=2)]
)


@dataclass(frozen=True, slots=True)
class Card:
    """One run.

    Args:
        id: the run's.
        title: what it is called; ``said``: how it went, in a few words; ``apart``: what sets it apart.
        marks: a star, tags.
        curve: shares in [0, 1], in time's order; empty: it has none yet.
    """

    id: str
    title: str
    said: str
    apart: str = ""
    marks: str = ""
    curve: tuple[float, ...] = ()


def run_cards(cards: Sequence[Card], *, key: str, on_asked: Callable[[list[str]], None]) -> None:
    """Shows the cards.

    Args:
        key: their name on the page.
        on_asked: called, before the script runs again, with the run to open, or the two to compare. The ids
            come from a browser: runs that are there or not.
    """

    def asked() -> None:
        try:
            ids = _ASKED.validate_python(st.session_state[key]["asked"])
        except ValidationError:
            return  # it is not what our own script sends
        on_asked(ids)

    label = "Runs. Drag one onto another to compare them."
    message = {"cards": [asdict(card) for card in cards], "label": label}
    _run_cards(key=key, data=json.dumps(message).encode(), on_asked_change=asked)
