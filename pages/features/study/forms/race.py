"""Which optimiser: who runs, and over how many seeds."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalogue import title_of
from core.optimise.catalogue import OPTIMISERS
from core.run.spec import RunSpec
from core.study.questions.race import FACTORS
from pages.features.study.rate_box import rate_box


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; what they say."""
    kinds = list(OPTIMISERS)
    first = list(dict.fromkeys([base.optimiser.kind, "sgd", "adam"]))
    chosen = st.multiselect(
        "Who runs", kinds, default=[kind for kind in first if kind in kinds], key="study.optimisers",
        format_func=lambda kind: title_of(OPTIMISERS, kind),
    )  # fmt: skip
    if len(chosen) < 2:
        st.info("Choose two or more.", icon=":material/touch_app:")
        return None
    seeds = st.slider("Seeds of the race", 2, 20, 3, key="study.race_seeds")
    said = ", ".join(f"{factor:g}" for factor in FACTORS)
    st.caption(
        f"First each is tried at {said} times its own rate, judged by one fold of the training images."
    )
    rate_box(base)
    return base, {"optimisers": [{"kind": kind} for kind in chosen], "seeds": seeds}
