"""Where the compared runs are sparse, layer by layer."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.figures.layers_apart import WHOLE, LayersOf, counted_zeros, height_of, layers_of, zeros_by_layer
from core.text.shares import percent
from core.text.side_by_side import NONE
from pages.components.live_chart import live_chart
from pages.features.compare.compared import Compared


def layers_part(runs: Sequence[Compared]) -> None:
    """A mark a run in each layer, and the counts; of runs that have ended an epoch."""
    shown = [LayersOf(run.name, result["sparsity"]) for run in runs if (result := run.view.history.result)]
    if not shown:
        st.caption("No epoch has ended yet.")
        return
    layers = layers_of(shown)
    live_chart(
        # The colours are by place: a run without an epoch keeps its own.
        json.dumps(zeros_by_layer([_of(run) for run in runs])),
        key="compare.layers",
        height=height_of([_of(run) for run in runs]),
        alt=f"Exact zeros of {len(shown)} runs in {len(layers)} layers; the table has the counts.",
    )
    said = "Exactly 0.0, in per cent of each layer's weights; biases and norm layers are left out."
    if any(list(run.sparsity["layers"]) != layers for run in shown):
        said += " These networks have different layers: what stands in one row has the same name, no more."
    elif len({tuple(each["weights"] for each in run.sparsity["layers"].values()) for run in shown}) > 1:
        said += " Layers of one name have different sizes here: the table says of how many weights."
    st.caption(said)
    names = [f"{i}. {run.name}" for i, run in enumerate(runs, 1)]
    rows = [
        {"layer": layer, **{name: _count(_of(run), layer) for name, run in zip(names, runs, strict=True)}}
        for layer in [*layers, WHOLE]
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="compare.layer_counts")


def _of(run: Compared) -> LayersOf:
    result = run.view.history.result
    return LayersOf(run.name, result["sparsity"] if result else _NOTHING)


def _count(run: LayersOf, layer: str) -> str:
    """E.g. ``260 of 288 (90.3 %)``."""
    found = counted_zeros(run, layer)
    if found is None or not found[1]:
        return NONE
    zeros, weights = found
    return f"{zeros:,} of {weights:,} ({percent(zeros / weights)})"


_NOTHING = {"exact": 0.0, "weights": 0, "layers": {}}
