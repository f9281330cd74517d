"""Does a teacher help: which student, and how it is taught."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.regularise.catalogue import REGULARISERS
from core.run.spec import RunSpec
from pages.features.compress.student import student
from pages.features.editor.fields import field


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; what they say."""
    model = student("study")
    taught = {
        each.name: field(each, each.default, "study", each.name, at=f"study.taught.{each.name}")
        for each in REGULARISERS["distillation"].parameters
    }
    left, right = st.columns(2)
    epochs = left.slider(
        "Epochs of the student", 1, 100, min(100, base.train.epochs), key=f"study.epochs.{base.train.epochs}"
    )
    seeds = right.slider(
        "Seeds",
        2,
        20,
        5,
        key="study.seeds",
        help="Each has a teacher and three students that begin alike: pairs, so that shared chance drops "
        "out.",
    )
    return base, {"student": model, "epochs": int(epochs), "seeds": seeds, **taught}
