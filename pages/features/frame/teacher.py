"""A teacher's link. ``?hide=add,seed`` hides controls by name; ``?lock=1&dials=strength,RandomAffine-0-p``
leaves a class nothing to move but those dials. What is hidden still acts as the link's spec says.

This tidies a page for a lesson. It is no protection: whoever edits the address sees all again.
"""

from __future__ import annotations

import streamlit as st

from core.run.changes import op_id
from core.run.spec import OpSpec

CONTROLS = {
    "images": "Choice of images",
    "add": "Adding operations",
    "list": "List of operations",
    "settings": "Settings of operations",
    "pipeline": "Whole pipeline",
    "seed": "Seed and new draw",
    "tabs": "All tabs but the grid",
    "train": "Train with this",
    "share": "Share",
    "pages": "Links to other pages",
}


# Of Train and of a run's page; a locked page keeps those that its link names as dials.
PARTS = {
    "preset": "Preset to start from",
    "data": "Data",
    "augmentation": "Augmentation",
    "architecture": "Architecture",
    "regularisers": "Regularisers",
    "optimiser": "Optimiser",
    "budget": "Budget",
    "name": "Name and seeds",
    "plan": "Network, first batch, objective",
    "lambda": "Choice of λ",
    "recent": "Recent runs",
    "tabs": "Tabs of a run",
    "next": "Compare with another, repeat with other seeds",
    "stop": "Pause, stop, name and delete",
    "steer": "Dials of a run that trains",
    "share": "Share",
    "pages": "Links to other pages",
}


def part_shown(part: str) -> bool:
    """Whether a part of Train or of a run's page, by its name in `PARTS`, is there for this visitor."""
    return shown(part) or (locked() and part in st.query_params.get("dials", "").split(","))


def shown(control: str) -> bool:
    """Whether a control, by its name in `CONTROLS`, is there for this visitor."""
    return not locked() and control not in st.query_params.get("hide", "").split(",")


def locked() -> bool:
    """Whether nothing is left but the dials that the teacher chose."""
    return st.query_params.get("lock") == "1"


def dial_shown(name: str) -> bool:
    """Whether one dial is there: all of them, unless the page is locked."""
    return not locked() or name in st.query_params.get("dials", "").split(",")


def dial(op: OpSpec, parameter: str) -> str:
    """The name in a link of an operation's dial: ``enabled``, ``p`` or one of its parameters."""
    return f"{op_id(op)}-{parameter}"
