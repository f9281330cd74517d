"""Where zeros are in a run: layer by layer, and in the sizes of its weights."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.figures.flow import has_flow
from core.figures.parts import Figure
from core.figures.sparsity import (
    groups_in_words,
    has_groups,
    removable,
    sparsity_by_layer,
    sparsity_map,
    weights_by_layer,
    zero_groups,
)
from core.figures.weights import edges, has_histograms, near_zero_share, weight_ridge
from core.jobs.views import RunView
from core.measure.near import NEAR
from core.text.escape import plain
from core.text.shares import percent
from pages.components.live_chart import live_chart
from pages.features.live.flow_chart import FLOW_WAYS, flow_chart
from pages.features.live.not_yet import OLDER, wait
from pages.features.live.run_charts import chart, shown_history
from pages.features.runs.filters import CHART, VIEW
from pages.features.runs.plane import BESIDE

WHOLE = "whole network"


def layers_part(view: RunView) -> None:
    """Which layers become sparse, and when."""
    history = shown_history(view)
    if not history.epochs:
        return wait(view)
    ways: dict[str, tuple[Callable[..., Figure], str]] = {
        "Map": (sparsity_map, "Map of exact zeros: a row a layer, a column an epoch."),
        "Lines": (sparsity_by_layer, "Line chart of exact zeros by layer."),
        "Counts": (weights_by_layer, "Bars: weights by layer, zeros apart."),
    }
    if has_groups(history):
        ways["Filters, neurons, heads"] = (zero_groups, "Line chart of zero groups by layer.")
    if has_flow(history):
        ways |= FLOW_WAYS
    way = st.segmented_control("Shown as", list(ways), default="Map", required=True, key="layers.way")
    draw, alt = ways[way]
    last = history.result
    assert last is not None
    if way in FLOW_WAYS:
        return flow_chart(view, way)
    said = ", ".join(
        f"{name} {percent(layer['exact'])} of {layer['weights']:,}"
        for name, layer in last["sparsity"]["layers"].items()
    )
    height = 130 + 34 * len(last["sparsity"]["layers"]) if way in ("Map", "Counts") else 320
    live_chart(chart(view, draw), key=f"layers.{way}", height=height, alt=f"{alt} Now: {said}.")
    words = groups_in_words(last)
    empty = removable(last, view.spec.model.arch)
    st.caption(
        "Exactly 0.0, in per cent of each layer's weights; biases and norm layers are left out."
        + (f" Wholly zero: {plain(words)}." if words else "")
        + (
            f" These {empty} put out the same for every image and could be taken out of the network."
            if empty
            else ""
        )
    )
    among_runs_link(view)


def weights_part(view: RunView) -> None:
    """How large the weights are, and what share is smaller than an ε of one's choice."""
    history = shown_history(view)
    if not history.epochs:
        return wait(view)
    if not has_histograms(history):
        st.caption(OLDER)
        return
    bounds = edges(history)
    left, right = st.columns([1, 2])
    layer = left.selectbox("Weights of", [WHOLE, *history.epochs[-1]["sparsity"]["layers"]], key="weights.of")
    epsilon = right.select_slider(
        "Near zero means |w| < ε",
        bounds,
        min(bounds, key=lambda bound: abs(bound - NEAR)),
        format_func=lambda edge: f"ε = {edge:.2g}",
        key="weights.epsilon",
        help="A choice, and an arbitrary one: the share of near zeros is whatever ε makes it. The "
        "histograms' edges are powers of two, so ε is one.",
    )
    left, right = st.columns([3, 2])
    with left:
        st.markdown("**Size of the weights, epoch by epoch**")
        ridge = chart(view, weight_ridge, None if layer == WHOLE else layer, epsilon)
        live_chart(
            ridge,
            key="weights.ridge",
            height=420,
            alt=f"Histograms of |w| of the {layer}, one an epoch; exact zeros are bars at the left.",
        )
    with right:
        st.markdown(f"**Near zero: |w| < {epsilon:.2g}**")
        live_chart(
            chart(view, near_zero_share, epsilon),
            key="weights.near",
            height=420,
            alt=f"Line chart of the share of weights with |w| < {epsilon:.2g}, by layer.",
        )
    st.caption(
        "The newest epoch is in front. A hill that moves left is weights that shrink; a bar that grows is "
        "weights that became exactly 0. Only the second makes a network smaller."
    )
    among_runs_link(view)


def among_runs_link(view: RunView) -> None:
    """To the list of runs, where this one is a point among all on the same images."""
    st.page_link(
        "pages/3_Runs.py",
        label="Among all runs on these images: zeros against accuracy",
        icon=":material/scatter_plot:",
        query_params={VIEW: CHART, BESIDE: view.id},
    )
