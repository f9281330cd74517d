"""What was done to the pipeline, so that it can be undone: add, move, duplicate, remove, load."""

from __future__ import annotations

import streamlit as st

from core.run.spec import AugmentSpec
from pages.features.editor import choice

_UNDO = "augury.undo"  # [(what was done, the pipeline before it), …]
_MOST = 50


def apply(augment: AugmentSpec, act: str) -> None:
    """Make ``augment`` the visit's pipeline; ``act`` names what was done, e.g. "remove affine"."""
    spec = choice.current()
    undo = st.session_state.setdefault(_UNDO, [])
    undo.append((act, spec.augment))
    del undo[:-_MOST]
    choice.change_augment(augment)


def undo_button() -> None:
    """Offer to take the last act back, if there was one."""
    undo = st.session_state.get(_UNDO)
    if undo:
        st.button(f"Undo {undo[-1][0]}", icon=":material/undo:", on_click=_undo, width="stretch")


def _undo() -> None:
    _, augment = st.session_state[_UNDO].pop()
    spec = choice.current().model_copy(update={"augment": augment})
    choice.replace(spec)  # every widget anew: some of them still hold what is undone
    choice.remember(spec)
