"""What each operation costs on this device, and what share of a training step that is."""

from __future__ import annotations

import json

import streamlit as st
import torch
from torch import Tensor

from core.data.shape import image_shape
from core.figures import probes as figures
from core.probe.cost import Costs, measure, training_step
from core.run.errors import SpecError
from core.text.escape import plain
from pages.components.live_chart import live_chart
from pages.features.lab.look import Look

BATCH = 128
SMALL = 64  # pixels; up to this side a whole batch is timed, as in training
_COSTS, _STEPS = "augury.costs", "augury.steps"  # what was measured in this visit


def cost_tab(look: Look) -> None:
    """Measured when a person asks: it takes a moment, and the machine's whole attention."""
    side = look.images.side
    count = len(look.images.names) if side > SMALL else BATCH
    batch = torch.randint(256, (count, look.images.channels, side, side), dtype=torch.uint8)
    st.caption(
        f"Microseconds an image, on {len(batch)} images of {side}×{side} px at once, beside a training step "
        f"of {plain(look.spec.model.arch)} on {plain(look.spec.data.name)}: medians, on this device, as busy "
        "as it is now."
    )
    costs: dict[object, Costs] = st.session_state.setdefault(_COSTS, {})
    steps: dict[object, float] = st.session_state.setdefault(_STEPS, {})
    pipeline = (look.augment.model_dump_json(), batch.shape)
    network = look.spec.model_dump_json(exclude={"name", "augment", "seed"})
    asked = st.button("Measure", icon=":material/timer:", key="cost.measure")
    if not asked and not (pipeline in costs and network in steps):
        return
    try:
        if asked or pipeline not in costs:
            costs[pipeline] = _timed(look, batch)
        if asked or network not in steps:
            with st.spinner("Timing a training step…"):
                steps[network] = training_step(look.spec)
    except SpecError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _show(look, costs[pipeline], steps[network])


def _timed(look: Look, batch: Tensor) -> Costs:
    bar = st.progress(0.0, "Timing each operation…")
    for costs in measure(look.augment, batch, seed=look.seed):
        bar.progress(costs.done, "Timing each operation…")
    bar.empty()
    return costs


def _show(look: Look, costs: Costs, training_us: float) -> None:
    chart = figures.costs(costs, training_us)
    live_chart(json.dumps(chart.figure), key="cost", height=160 + 36 * len(costs.parts), alt=chart.alt)
    trained_on = image_shape(look.spec.data).side
    said = f"The whole pipeline takes **{costs.whole.total:,.0f} µs an image**; the rest of a training step "
    said += f"takes {training_us:,.0f} µs an image"
    if trained_on == look.images.side:
        st.markdown(f"{said}. Augmentation is **{costs.share_of_step(training_us):.0%}** of a step.")
    else:
        st.markdown(f"{said}, but of {trained_on}×{trained_on} px: show the dataset's images to compare.")
