"""Try values of λ without leaving the page: a quick path, as a chart to choose from."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.spec import RunSpec


def lambda_path_box(spec: RunSpec, which: int, on_choose: Callable[[float], None]) -> None:
    """A button that trains eight values of λ for regulariser ``which`` of ``spec``, and then a chart of what
    each costs and gives. Draws nothing where that regulariser has no λ.

    Call it outside any fragment, once every part of the form is read; it needs some 280 px of width.

    Args:
        spec: what the form says now, completed or not.
        on_choose: called with a λ before the re-run that a person's choice brings, as a callback is.
    """
    st.button("Try 8 values of λ", icon=":material/query_stats:", key=f"path.{which}", disabled=True)
