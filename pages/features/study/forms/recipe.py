"""What does each step cost: which steps, one after the other."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalogue import Number
from core.run.spec import RunSpec
from core.study.questions.recipe import MOST_CHAINS, MOST_STEPS
from core.transform.catalogue import TRANSFORMS
from pages.features.compress.dials import dials
from pages.features.compress.student import student
from pages.features.editor.fields import field

ALONE = [name for name, entry in TRANSFORMS.items() if entry.fewest == 1]
FIRST = ("prune", "shrink", "quantise")
MORE = {"prune": 3, "shrink": 0, "quantise": 2}  # epochs after a step, at first
MOST_EPOCHS = 50


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; what they say."""
    st.caption("First the run is trained; then each step is made of the network of the one before.")
    count = st.slider("Steps", 1, MOST_STEPS, len(FIRST), key="study.steps")
    steps = [_step(number, base) for number in range(int(count))]
    seeds = st.slider(
        "Seeds",
        1,
        MOST_CHAINS,
        1,
        key="study.chains",
        help="With one the interval is over images; with several each step's loss has one over seeds, in "
        "pairs.",
    )
    return base, {"steps": steps, "seeds": seeds}


def _step(number: int, base: RunSpec) -> dict[str, Any]:
    first = FIRST[number] if number < len(FIRST) else "prune"
    with st.container(border=True):
        left, right = st.columns(2)
        how = left.selectbox(
            f"Step {number + 1}",
            ALONE,
            index=ALONE.index(first),
            format_func=lambda name: TRANSFORMS[name].title,
            key=f"study.step.{number}",
        )
        entry, at = TRANSFORMS[how], f"study.step.{number}.{how}"
        epochs = right.slider(
            "Then trained on (epochs)",
            1 if entry.student else 0,
            MOST_EPOCHS,
            base.train.epochs if entry.student else MORE.get(how, 0),
            key=f"{at}.epochs",
        )
        model = student(at) if entry.student else None
        size = next((each for each in entry.parameters if isinstance(each, Number)), None)
        params = {}
        if size is not None:  # what matters most: how much goes, how many bits
            params[size.name] = field(size, size.default, "study", size.name, at=f"{at}.{size.name}")
        if len(entry.parameters) > 1:
            with st.expander("More of how"):
                params = dials(entry, base, at, params, without=size)
    return {"how": how, "params": params, "train": {"epochs": int(epochs)}, "model": model}
