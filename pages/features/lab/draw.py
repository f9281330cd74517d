"""Which random numbers are shown: a seed, and how many draws from it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.features.editor import choice
from pages.features.frame.teacher import dial_shown, locked, shown

MOST_DRAWS = 9_999


def drawn_step() -> int:
    """Which draw the address asks for: 0 is what step 0 of a run sees."""
    text = st.query_params.get("draw", "0")
    return min(int(text), MOST_DRAWS) if text.isascii() and text.isdecimal() else 0


def seed_and_draw(seed: int, view: str) -> None:
    """A field for the seed, and a button for other random numbers; each re-runs the fragment ``view``."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if shown("seed"):
            st.number_input(
                "Seed",
                0,
                2**31 - 1,
                seed,
                key=choice.key("augment", "seed"),
                width=160,
                on_change=partial(_set_seed, view),
            )
        if shown("seed") or (locked() and dial_shown("draw")):
            st.button(
                "New draw",
                icon=":material/casino:",
                help="The same settings, other random numbers.",
                on_click=partial(_draw, view),
            )


def _set_seed(view: str) -> None:
    spec, seed = choice.current(), st.session_state[choice.key("augment", "seed")]
    if spec.seeds.augment is None:
        spec = spec.model_copy(update={"seed": seed})
    else:  # the run's own seed does not draw these
        spec = spec.model_copy(update={"seeds": spec.seeds.model_copy(update={"augment": seed})})
    choice.remember(spec)
    st.rerun(view)


def _draw(view: str) -> None:
    st.query_params["draw"] = str((drawn_step() + 1) % (MOST_DRAWS + 1))
    st.rerun(view)
