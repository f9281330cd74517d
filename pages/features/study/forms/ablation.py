"""Does it help: which choices are switched, and over how many seeds."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.run.spec import RunSpec
from core.study.questions.ablation import MOST_SWITCHES
from core.study.questions.switches import TOGETHER, switches_of

DESIGNS = {"factorial": "all combinations", "one-at-a-time": "each alone"}
FIRST = 3  # switches that are chosen at first


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; what they say."""
    switches = {switch.name: switch for switch in switches_of(base)}
    if not switches:
        st.info(
            "This run has nothing that could be left out. Choose another, or give yours an augmentation, a "
            "regulariser or dropout on Train.",
            icon=":material/tune:",
        )
        return None
    names = list(switches)
    chosen = st.multiselect(
        "Switch on and off",
        names,
        default=_apart(base, names)[:FIRST],
        key=f"study.switches.{hash(tuple(names))}",
        max_selections=MOST_SWITCHES,
    )
    if not chosen:
        st.info("Choose what is switched on and off.", icon=":material/touch_app:")
        return None
    left, right = st.columns(2)
    design = left.segmented_control(
        "Settings", list(DESIGNS), default="factorial", required=True, key="study.design",
        format_func=lambda each: DESIGNS[each],
        help="All combinations can tell which of them work better together.",
    )  # fmt: skip
    seeds = right.slider(
        "Seeds",
        2,
        20,
        5,
        key="study.seeds",
        help="Every setting is trained with each of them: pairs, so that chance that both share drops out.",
    )
    figure = st.segmented_control(
        "What it does to",
        ["accuracy", "loss", "zeros"],
        default="accuracy",
        required=True,
        key="study.effect",
    )
    said = [switches[name].model_dump(mode="json") for name in chosen]
    return base, {"switches": said, "design": design, "seeds": seeds, "figure": figure}


def _apart(base: RunSpec, names: list[str]) -> list[str]:
    """At first all augmentation together, and not each operation by itself."""
    if names[0] != TOGETHER:
        return names
    operations = len([op for op in base.augment.ops if op.enabled]) + (base.augment.mix is not None)
    return [names[0], *names[1 + operations :]]
