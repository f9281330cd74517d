"""A lesson's card: what to expect, what to look for, how long it takes, and Start."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalogues import filled
from core.presets import Preset
from core.store.store import StoredRun
from core.text.describe import budget
from core.text.escape import plain
from core.text.how_long import how_long, in_words
from pages.features.start.expected import expected, measured
from pages.features.start.start_or_look import start_or_look

TICK = " :green[:material/check_circle:]"


def lesson(number: int, preset: Preset, runs: Sequence[StoredRun], *, done: bool, is_next: bool) -> None:
    """Draw it.

    Args:
        number: its place in the order.
        runs: the newest first, for how long it takes here.
        done: it was trained already: its button opens what came out.
        is_next: its button is the one to press.
    """
    st.markdown(f"**{number:d} · {preset.title}**{TICK if done else ''}")
    expected(preset.name, zeros=bool(preset.spec.regularisers))
    st.markdown(f":small[**Look for:** {preset.watch}]")
    with st.container(key=f"foot.{preset.name}"):
        st.caption(plain(" · ".join([_time(preset, runs), budget(filled(preset.spec))])))
        start_or_look(preset, is_next=is_next, done=done)


def _time(preset: Preset, runs: Sequence[StoredRun]) -> str:
    """As runs on this machine took; before there are any, as where the lessons' curves were measured."""
    if here := how_long(filled(preset.spec), runs):
        return in_words(here.seconds)
    told = measured()[preset.name]
    return f"{in_words(told['seconds'])} on {told['threads']} threads"
