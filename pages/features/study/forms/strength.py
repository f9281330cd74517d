"""Which λ: whose, how many values, how many folds."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalogue import title_of
from core.catalogues import completed
from core.regularise.catalogue import REGULARISERS
from core.run.spec import RegulariserSpec, RunSpec
from core.study.path_plan import strengths
from core.study.questions.strength import BELOW, FOLDS, POINTS
from core.text.escape import plain

MOST_AXES = 2
REFITS = {"1se": "the sparsest as good", "min": "the best", "none": "nothing"}


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; the run they are about, which may have got a regulariser here, and what they say."""
    there = [i for i, each in enumerate(base.regularisers) if each.strength is not None]
    if not there:
        kinds = [name for name, entry in REGULARISERS.items() if entry.default_strength is not None]
        kind = st.selectbox(
            "This run has no λ. Add",
            kinds,
            format_func=lambda name: title_of(REGULARISERS, name),
            key="study.add",
        )
        base = completed(
            base.model_copy(update={"regularisers": (*base.regularisers, RegulariserSpec(kind=kind))})
        )
        there = [len(base.regularisers) - 1]
    chosen = st.pills(
        "Whose λ",
        there,
        selection_mode="multi",
        default=there[:1],
        key=f"study.axes.{len(base.regularisers)}",
        format_func=lambda i: plain(title_of(REGULARISERS, base.regularisers[i].kind)),
        help="Two at once make a grid of pairs.",
    )[:MOST_AXES]
    if not chosen:
        st.info("Choose whose λ is asked for.", icon=":material/touch_app:")
        return None
    left, right = st.columns(2)
    points = left.slider("Values of each", 4, 12, POINTS if len(chosen) == 1 else 5, key="study.points")
    folds = right.slider(
        "Folds", 2, 10, FOLDS, key="study.folds",
        help="The training images in so many parts: each is judged once, by a network trained on the others.",
    )  # fmt: skip
    figure = st.segmented_control(
        "Judged by", ["accuracy", "loss"], default="accuracy", required=True, key="study.figure",
        help="Which error of the folds λ is chosen by.",
    )  # fmt: skip
    refit = st.segmented_control(
        "Then train once more with",
        list(REFITS),
        default="1se",
        required=True,
        key="study.refit",
        format_func=lambda each: REFITS[each],
        help="On all training images, judged by those nothing chose by. As good: within one standard error.",
    )
    grids = [strengths(base.regularisers[i].kind, points, BELOW) for i in chosen]
    for grid in grids:
        st.caption(f"λ from {grid[0]:g} to {grid[-1]:g}, evenly on a log scale.")
    axes = [{"regulariser": i, "grid": list(grid)} for i, grid in zip(chosen, grids, strict=True)]
    return base, {"strengths": axes, "folds": folds, "figure": figure, "refit": refit}
