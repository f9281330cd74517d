"""What is about to be trained: the network's layers, a batch as it will be seen, the objective."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.figures.parts import has_lambda
from core.figures.tables import layers_in_a_bar
from core.models.dropout import dropouts
from core.optimise.catalogue import OPTIMISERS
from core.regularise.catalogue import REGULARISERS
from core.run.spec import RegulariserSpec, RunSpec
from core.text.advice import in_time, kept_too_early, unreached, unreleased
from core.text.describe import objective
from core.text.escape import plain, plain_html
from pages.components.live_chart import live_chart
from pages.features.editor import choice
from pages.features.editor.regulariser_editor import shape_of
from pages.features.frame.asking import ask
from pages.features.frame.teacher import part_shown
from pages.features.plan.first_batch import first_batch
from pages.features.plan.one_weight import one_weight
from pages.features.plan.own_set import own_set


def plan_view(spec: RunSpec, batch: DeltaGenerator | None) -> None:
    """Draw what a teacher's link leaves of the plan of a completed spec.

    Args:
        batch: where its first images go; None: beside the network.

    Raises:
        SpecError: a part does not fit the data.
    """
    if not part_shown("plan"):
        if batch:
            first_batch(ask("plan", spec=spec), batch)
        return
    own_set(spec.data)
    with st.spinner("Building the network…"):
        plan = ask("plan", spec=spec)
    _unreached(spec)
    network, beside = (st.container(), batch) if batch else st.columns([2, 1], gap="large")
    with network:
        st.subheader("Network", anchor=False)
        _layers(plan["summary"])
    if not batch:
        beside.subheader("First batch", anchor=False)
    first_batch(plan, beside)
    st.subheader("Objective", anchor=False)
    _objective(spec)
    one_weight(spec, plan["num_images"])


def _unreached(spec: RunSpec) -> None:
    """A strength that will not arrive is said before the start, and mended by a press."""
    found = unreached(spec)
    for _, what in found:
        st.warning(plain(what), icon=":material/trending_up:")
    if found:
        epochs = in_time(spec.train.epochs)
        wait = f"{epochs} {'epoch' if epochs == 1 else 'epochs'}"
        st.button(
            f"Let it arrive after {wait}",
            icon=":material/tune:",
            key="arrive",
            on_click=_arrive,
            args=(spec, [i for i, _ in found], epochs),
        )
    for what in [*unreleased(spec), *filter(None, [kept_too_early(spec)])]:
        st.warning(plain(what), icon=":material/trending_down:")


def _arrive(spec: RunSpec, late: Sequence[int], epochs: int) -> None:
    regularisers = [
        each.model_copy(update={"warmup_epochs": epochs}) if i in late else each
        for i, each in enumerate(spec.regularisers)
    ]
    choice.start_from(spec.model_copy(update={"regularisers": tuple(regularisers)}))


def _layers(summary: Mapping[str, Any]) -> None:
    """See `core.models.summary.Summary`."""
    st.caption(
        f"{summary['parameters']:,} parameters · {summary['multiply_adds'] / 1e6:,.2f} M multiply-adds an "
        "image"
    )
    layers = [
        (plain_html(row["name"]), plain_html(row["kind"]), row["parameters"]) for row in summary["rows"]
    ]
    most = max(layers, key=lambda layer: layer[2])
    live_chart(
        json.dumps(layers_in_a_bar(layers)),
        key="plan.layers",
        height=44,
        alt=f"A bar of all parameters, cut into layers; most, {most[2]:,}, are in {most[0]}.",
    )
    with st.expander("All layers, in a table", icon=":material/table_rows:"):
        _table(summary)


def _table(summary: Mapping[str, Any]) -> None:
    rows = {
        "Layer": [row["name"] for row in summary["rows"]],
        "Kind": [row["kind"] for row in summary["rows"]],
        "Output": [" × ".join(map(str, row["output_shape"])) for row in summary["rows"]],
        "Parameters": [row["parameters"] for row in summary["rows"]],
        "Share (%)": [100 * row["share"] for row in summary["rows"]],
        "Multiply-adds": [row["multiply_adds"] for row in summary["rows"]],
    }
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Parameters": st.column_config.NumberColumn(format="localized", width=86),
            "Multiply-adds": st.column_config.NumberColumn(
                format="localized", help="For one image, forward."
            ),
            "Share (%)": st.column_config.ProgressColumn(
                format="%.1f", width=76, min_value=0, max_value=100, help="Of all parameters."
            ),
        },
        height="content",
    )


def _objective(spec: RunSpec) -> None:
    """What is minimised, and in words what each regulariser adds to it, or does beside it."""
    # In a line of text a formula breaks where it is too long for a telephone.
    st.markdown(rf"$\displaystyle {objective(spec)}$")
    if not spec.regularisers:
        st.caption("No penalty: the loss is the cross-entropy alone.")
    for regulariser in spec.regularisers:
        entry = REGULARISERS[regulariser.kind]
        formula = "" if entry.solvers else f": ${entry.formula}$"
        solver = f", by the `{regulariser.solver}` solver" if len(entry.solvers) > 1 else ""
        effect = entry.effect_by(regulariser.solver)
        st.markdown(f"**{entry.title}**{_strength(regulariser)}{solver}{formula}. {effect}")
    for kind, share in dropouts(spec.model):
        st.markdown(f"**{kind.title}**, p = {share:g}: ${kind.formula}$. {kind.effect}")
    if decay := spec.optimiser.params.get("weight_decay"):
        title = OPTIMISERS[spec.optimiser.kind].title
        st.markdown(
            rf"**{title}** itself takes a share off all weights: $w \leftarrow w - \eta \cdot {decay:g}\, w$."
        )
    if any(has_lambda(each.kind) for each in spec.regularisers):
        st.caption("w: the weights of filters and matrices; biases, norm layers and positions are left out.")


def _strength(regulariser: RegulariserSpec) -> str:
    """E.g. ``, λ = 0.001, rising over 12 epochs``; nothing for a kind that has no strength."""
    if regulariser.strength is None:
        return ""
    epochs = regulariser.warmup_epochs
    rising = f", rising over {epochs} epochs"
    does = {
        "constant": "",
        "linear": rising,
        "cubic": f"{rising}, steeply at first",
        "step": f" after {epochs} epochs",
    }
    released = regulariser.release_epochs
    until = f", released after {released} epochs: then it is 0, and what is zero stays so" if released else ""
    symbol = REGULARISERS[regulariser.kind].symbol
    return f", {symbol} = {regulariser.strength:g}{does[shape_of(regulariser)]}{until}"
