"""Which network a student is."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalogue import Integers, Number, Parameter
from core.models.catalogue import ARCHITECTURES
from pages.features.editor.fields import field


def student(at: str) -> dict[str, Any]:
    """The student's architecture, with the width that matters most.

    Args:
        at: what the keys of the widgets begin with.
    """
    arch = st.selectbox(
        "Student",
        list(ARCHITECTURES),
        index=list(ARCHITECTURES).index("mlp"),
        format_func=lambda name: ARCHITECTURES[name].title,
        key=f"{at}.student",
    )
    entry = ARCHITECTURES[arch]
    size = next(parameter for parameter in entry.parameters if parameter.name == entry.size)
    small = _an_eighth(size)
    value = field(size, small, at, "student", arch, at=f"{at}.student.{arch}")
    if isinstance(value, str):
        value = [int(each) for each in value.replace(",", " ").split() if each.isdecimal()]
    return {"arch": arch, "params": {entry.size: value}}


def _an_eighth(size: Parameter) -> Any:
    """An eighth of the usual width, as far as that goes."""
    if isinstance(size, Integers):
        return [max(size.low, each // 8) for each in size.default]
    assert isinstance(size, Number)
    return max(int(size.low), int(size.default) // 8)
