"""How many images: the budget, the seeds, and what is compared."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.run.spec import RunSpec
from core.study.questions.switches import switches_of

NOTHING = "nothing"


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; what they say."""
    switches = {switch.name: switch for switch in switches_of(base)}
    left, right = st.columns(2)
    budget = left.segmented_control(
        "Each trains for as many", ["epochs", "steps"], default="epochs", required=True, key="study.budget",
        help="With as many steps, few images are seen more often.",
    )  # fmt: skip
    seeds = right.slider("Seeds", 2, 20, 3, key="study.curve_seeds")
    second = st.selectbox(
        "A second curve without", [NOTHING, *switches], key=f"study.second.{hash(tuple(switches))}"
    )
    said: dict[str, Any] = {"budget": budget, "seeds": seeds}
    if second in switches:
        said["switch"] = switches[second].model_dump(mode="json")
    return base, said
