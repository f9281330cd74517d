"""What each operation costs on this device, and what share of a training step that is."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from core.data.shape import image_shape
from core.figures import probes as figures
from core.jobs.views import RunView
from core.text.escape import plain
from pages.components.live_chart import live_chart
from pages.features.frame.job_box import job_box, rows
from pages.features.lab.look import Look

FIELDS = ("part", "title", "draw", "apply", "total", "device")


def cost_tab(look: Look) -> None:
    """Measured when a person asks: it takes a moment, and the machine's whole attention."""
    side = look.images.side
    st.caption(
        f"Microseconds an image, in a batch of images of {side}×{side} px, beside a training step "
        f"of {plain(look.spec.model.arch)} on {plain(look.spec.data.name)}: medians, on this device, as busy "
        "as it is now."
    )
    spec = look.spec.model_copy(update={"name": ""})
    inputs = {"images": _source(look)}
    job_box(
        spec,
        "probe.cost",
        inputs,
        lambda view: _show(look, view),
        key="cost.measure",
        label="Measure",
        icon=":material/timer:",
    )


def _source(look: Look) -> dict[str, Any]:
    """What is timed: photographs stand for a person's own pictures, for only their shape matters."""
    return {"data": True} if "data" in look.images.source else {"photos": look.images.side}


def _show(look: Look, view: RunView) -> None:
    known = rows(view, *FIELDS)
    if not known:
        return
    chart = figures.costs(known)
    live_chart(json.dumps(chart.figure), key="cost", height=120 + 36 * len(known), alt=chart.alt)
    total = {row["part"]: row["total"] for row in known}
    share = figures.share_of_step(known)
    if share is None:
        return
    trained_on = image_shape(look.spec.data).side
    said = f"The whole pipeline takes **{total['whole']:,.0f} µs an image**; the rest of a training step "
    said += f"takes {total['training']:,.0f} µs an image"
    if trained_on == look.images.side:
        st.markdown(f"{said}. Augmentation is **{share:.0%}** of a step.")
    else:
        st.markdown(f"{said}, but of {trained_on}×{trained_on} px: show the dataset's images to compare.")
