"""The choices of a run as forms, part by part, made from the catalogues."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from core import data, models, optimisers, regularise
from core.catalogue import Entry
from core.spec import (
    DataSpec,
    ModelSpec,
    OptimiserSpec,
    RegulariserSpec,
    RunSpec,
    TrainSpec,
)
from pages.widgets.augment_editor import augment_editor
from pages.widgets.choice import key
from pages.widgets.fields import fields, log_dial, plain
from pages.widgets.upload import upload_box


def train_form(spec: RunSpec) -> RunSpec:
    """Every part of ``spec`` as widgets, folded; returns what they say, not yet checked together."""
    with st.expander("Data", icon=":material/photo_library:", expanded=True, key="part.data"):
        chosen_data = data_part(spec.data)
    shape = data.shape(chosen_data)
    with st.expander("Augmentation", icon=":material/auto_fix_high:", key="part.augment"):
        augment_editor(spec.augment, channels=shape.channels, side=shape.side)
    with st.expander("Architecture", icon=":material/schema:", expanded=True, key="part.model"):
        model = model_part(spec.model)
    with st.expander("Regulariser", icon=":material/compress:", expanded=True, key="part.regulariser"):
        regularisers = regulariser_part(spec.regularisers, spec.train.epochs)
    with st.expander("Optimiser", icon=":material/trending_down:", key="part.optimiser"):
        optimiser = optimiser_part(spec.optimiser)
    with st.expander("Budget", icon=":material/timer:", key="part.budget"):
        train, seed = budget_part(spec.train, spec.seed)
    return spec.model_copy(
        update={
            "data": chosen_data,
            "augment": spec.augment,
            "model": model,
            "regularisers": regularisers,
            "optimiser": optimiser,
            "train": train,
            "seed": seed,
        }
    )


def data_part(spec: DataSpec) -> DataSpec:
    """Which images; a person's own come as a zip, which is checked before it is kept."""
    name = _pick("Images", data.CATALOGUE, spec.name, "data", "name")
    path, side = None, None
    channels: Literal[1, 3] | None = None
    if name == "folder":
        path = upload_box(spec.path if spec.name == "folder" else None)
        side = st.select_slider(
            "Side (px)",
            sorted({16, 28, 32, 48, 64, 96, 128, 192, 256} | {spec.side or 32}),
            spec.side or 32,
            key=key("data", "side"),
            help="Images are scaled to this side and cut square. Larger ones train slower.",
        )
        colour = st.toggle("Colour", spec.channels != 1, key=key("data", "colour"))
        channels = 3 if colour else 1
    share = st.slider(
        "Kept for validation (share)", 0.05, 0.5, spec.validation_share, 0.05, key=key("data", "share")
    )
    limit = st.number_input(
        "Training images",
        min_value=1,
        max_value=1_000_000,
        value=spec.train_images,
        placeholder="all of them",
        key=key("data", "train_images"),
        help="Fewer images make overfitting easy to see. Empty: all of them.",
    )
    return DataSpec(
        name=name, path=path, side=side, channels=channels, train_images=limit, validation_share=share
    )


def model_part(spec: ModelSpec) -> ModelSpec:
    """An architecture, what it is in a paragraph, and its sizes."""
    arch = _pick("Architecture", models.CATALOGUE, spec.arch, "model", "arch")
    entry = models.CATALOGUE[arch]
    given = spec.params if arch == spec.arch else {}
    params = fields(entry.parameters, given, "model", arch)
    with st.popover("What is this?", icon=":material/help:"):
        st.markdown(entry.help)
        st.caption(entry.source)
    return ModelSpec(arch=arch, params=plain(params))


def regulariser_part(specs: tuple[RegulariserSpec, ...], epochs: int) -> tuple[RegulariserSpec, ...]:
    """Any number of regularisers, each with its formula, strength, solver and warm-up."""
    kinds = st.pills(
        "Regularisers",
        list(regularise.CATALOGUE),
        selection_mode="multi",
        default=list(dict.fromkeys(spec.kind for spec in specs)),
        format_func=lambda kind: regularise.CATALOGUE[kind].title,
        key=key("regularisers"),
        help="None, one or several at once. Dropout is a setting of the architecture.",
    )
    if not kinds:
        st.caption("None: the loss alone decides the weights.")
    given = {spec.kind: spec for spec in specs}
    return tuple(_regulariser(given.get(kind, RegulariserSpec(kind=kind)), epochs) for kind in kinds)


def _regulariser(spec: RegulariserSpec, epochs: int) -> RegulariserSpec:
    entry, place = regularise.CATALOGUE[spec.kind], ("regularisers", spec.kind)
    st.markdown(f"**{entry.title}** adds ${entry.formula}$")
    st.caption(entry.effect)
    strength = log_dial(
        "Strength λ",
        entry.default_strength if spec.strength is None else spec.strength,
        entry.strength_low,
        entry.strength_high,
        "How much the penalty counts against the loss.",
        key(*place, "strength"),
    )
    solver: Any = spec.solver
    if entry.solvers:
        solver = st.segmented_control(
            "Solver",
            list(entry.solvers),
            default=spec.solver or entry.solvers[0],
            required=True,
            key=key(*place, "solver"),
            help="Proximal: a step of its own after the optimiser's, right for this optimiser, that can "
            "reach zero. Penalty: a term of the loss, followed by its subgradient.",
        )
        if solver == "penalty" and entry.penalty_note:
            st.info(entry.penalty_note, icon=":material/info:")
    warmup = st.slider(
        "Warm-up (epochs)",
        0,
        max(epochs, spec.warmup_epochs, 1),
        spec.warmup_epochs,
        key=key(*place, "warmup"),
        help="λ rises from 0 over these epochs. From the first step it can kill the network.",
    )
    params = fields(entry.parameters, spec.params, *place)
    return RegulariserSpec(
        kind=spec.kind, strength=strength, solver=solver, warmup_epochs=warmup, params=plain(params)
    )


def optimiser_part(spec: OptimiserSpec) -> OptimiserSpec:
    """How the weights follow the gradient."""
    kind = _pick("Optimiser", optimisers.CATALOGUE, spec.kind, "optimiser", "kind")
    entry = optimisers.CATALOGUE[kind]
    same = kind == spec.kind
    lr = log_dial(
        "Learning rate",
        spec.lr if same and spec.lr else entry.lr_default,
        entry.lr_low,
        entry.lr_high,
        "How far the weights move at each step.",
        key("optimiser", kind, "lr"),
    )
    schedule: Any = _pick("Schedule", optimisers.SCHEDULES, spec.schedule, "optimiser", "schedule")
    params = fields(entry.parameters, spec.params if same else {}, "optimiser", kind)
    return OptimiserSpec(kind=kind, lr=lr, schedule=schedule, params=plain(params))


def budget_part(spec: TrainSpec, seed: int) -> tuple[TrainSpec, int]:
    """How long, in what batches, where, and from which seed."""
    epochs = st.number_input(
        "Epochs", 1, 1000, spec.epochs, key=key("train", "epochs"), help="Passes over the training images."
    )
    sizes = sorted({2**i for i in range(3, 13)} | {spec.batch_size})
    batch_size = st.select_slider("Batch size (images)", sizes, spec.batch_size, key=key("train", "batch"))
    device = st.segmented_control(
        "Device",
        ("auto", "cpu", "cuda"),
        default=spec.device,
        required=True,
        key=key("train", "device"),
        help="auto: a CUDA device if there is one.",
    )
    precision = spec.precision
    if device != "cpu":
        precision = st.segmented_control(
            "Precision",
            ("float32", "bfloat16"),
            default=spec.precision,
            required=True,
            key=key("train", "precision"),
            help="bfloat16 is faster on recent CUDA devices, and refused on a CPU, where it is slower.",
        )
    seed = st.number_input(
        "Seed", 0, 2**31 - 1, seed, key=key("seed"), help="The same seed gives the same run, bit for bit."
    )
    return spec.model_copy(
        update={"epochs": epochs, "batch_size": batch_size, "device": device, "precision": precision}
    ), seed


def _pick(label: str, catalogue: dict[str, Any], name: str, *place: str) -> str:
    """A choice among a catalogue's entries, by their titles."""
    names = list(catalogue)
    picked: str = st.selectbox(
        label, names, names.index(name), format_func=lambda each: catalogue[each].title, key=key(*place)
    )
    entry: Entry = catalogue[picked]
    if place[0] != "model":
        st.caption(entry.help)
    return picked
