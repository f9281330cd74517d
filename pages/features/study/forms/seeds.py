"""How many seeds: which chance varies."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.run.spec import RunSpec
from core.study.repeats import what_can_vary
from core.text.seeds import DRAWS


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; what they say."""
    kinds = what_can_vary(base)
    chosen = st.multiselect(
        "What is drawn anew", kinds, default=["all"], key=f"study.varied.{hash(tuple(kinds))}",
        format_func=lambda kind: DRAWS[kind],
        help="Each kind of chance alone, or all but which images are kept: “is it the split or the start?”",
    )  # fmt: skip
    if not chosen:
        st.info("Choose at least one kind of chance.", icon=":material/touch_app:")
        return None
    seeds = st.slider("Runs of each", 2, 20, 5, key="study.runs_each")
    return base, {"varied": chosen, "seeds": seeds}
