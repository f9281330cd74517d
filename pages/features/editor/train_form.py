"""The choices of a run as forms, part by part, made from the catalogues."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from core.catalogue import Entry
from core.data.catalogue import DATASETS
from core.data.own import Fit, Form, form_of
from core.data.shape import image_shape
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS, SCHEDULES
from core.run.spec import (
    DataSpec,
    ModelSpec,
    OptimiserSpec,
    RunSpec,
    TrainSpec,
)
from core.text.escape import plain
from pages.features.editor.augment_editor import augment_editor
from pages.features.editor.choice import key
from pages.features.editor.fields import as_json, fields, log_dial
from pages.features.editor.regulariser_editor import regulariser_editor
from pages.features.frame.setup import jobs
from pages.features.frame.teacher import part_shown
from pages.features.frame.visitor import visitor
from pages.features.images.upload import upload_box


def train_form(spec: RunSpec) -> RunSpec:
    """Every part of ``spec`` that a teacher's link leaves, as widgets, folded; returns what they say, not yet
    checked together.

    The pipeline and the regularisers are lists that a person edits: what is done to them is in the visit's
    spec already, and so in ``spec``, when this runs.
    """
    data, model, optimiser, train = spec.data, spec.model, spec.optimiser, spec.train
    if part_shown("data"):
        with st.expander("Data", icon=":material/photo_library:", expanded=True, key="part.data"):
            data = data_part(data, spec.seed)
    if part_shown("augmentation"):
        with st.expander("Augmentation", icon=":material/auto_fix_high:", key="part.augment"):
            augment_editor(spec.augment, channels=image_shape(data).channels)
    if part_shown("architecture"):
        with st.expander("Architecture", icon=":material/schema:", expanded=True, key="part.model"):
            model = model_part(model)
    if part_shown("regularisers"):
        with st.expander("Regularisers", icon=":material/compress:", expanded=True, key="part.regulariser"):
            regulariser_editor(spec.regularisers, train.epochs)
    if part_shown("optimiser"):
        with st.expander("Optimiser", icon=":material/trending_down:", key="part.optimiser"):
            optimiser = optimiser_part(optimiser)
    if part_shown("budget"):
        with st.expander("Budget", icon=":material/timer:", key="part.budget"):
            train = budget_part(train)
    return spec.model_copy(update={"data": data, "model": model, "optimiser": optimiser, "train": train})


def data_part(spec: DataSpec, seed: int) -> DataSpec:
    """Which images; a person's own come as a zip, which is checked before it is kept."""
    name = _pick("Images", DATASETS, spec.name, "data", "name")
    path: str | None = None
    form: Form | None = None
    if DATASETS[name].own:
        before = spec.path if spec.name == name else None
        uploaded = upload_box(before is not None)
        path = uploaded.path if uploaded else before
        form = _form_part(path, uploaded.form if uploaded and uploaded.is_new else form_of(spec))
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
    split = st.number_input(
        "Split seed",
        0,
        2**31 - 1,
        seed if spec.split_seed is None else spec.split_seed,
        key=key("data", "split_seed"),
        help="Draws which images are kept for validation: runs of other seeds sit the same exam.",
    )
    shape: dict[str, Any] = {} if form is None else form._asdict()
    return DataSpec(
        name=name, path=path, train_images=limit, validation_share=share, split_seed=split, **shape
    )


def _form_part(path: str | None, form: Form) -> Form:
    """What every image of a person's own is made into; another set starts from what suits it."""
    if path is None:
        return form
    own = path[-8:]
    side = st.select_slider(
        "Side (px)",
        sorted({8, 16, 28, 32, 48, 64, 96, 128, 192, 256} | {form.side}),
        form.side,
        key=key("data", own, "side"),
        help="Images are scaled to this side. Larger ones train slower.",
    )
    fits: tuple[Fit, ...] = get_args(Fit)
    fit = st.segmented_control(
        "Not square",
        fits,
        default=form.fit,
        required=True,
        format_func=str.capitalize,
        key=key("data", own, "fit"),
        help="Crop keeps the middle; pad keeps all and fills up with the colour of the image's edge; stretch "
        "keeps all and bends shapes.",
    )
    colour = st.toggle("Colour", form.channels != 1, key=key("data", own, "colour"))
    return Form(side, 3 if colour else 1, fit)


def waits_for_images(spec: DataSpec) -> bool:
    """Whether a person has chosen his own images and not given any yet."""
    return DATASETS[spec.name].own and spec.path is None


def model_part(spec: ModelSpec) -> ModelSpec:
    """An architecture, what it is in a paragraph, and its sizes."""
    arch = _pick("Architecture", ARCHITECTURES, spec.arch, "model", "arch")
    entry = ARCHITECTURES[arch]
    given = spec.params if arch == spec.arch else {}
    params = fields(entry.parameters, given, "model", arch)
    with st.popover("What is this?", icon=":material/help:"):
        st.markdown(entry.help)
        st.caption(entry.source)
    return ModelSpec(arch=arch, params=as_json(params))


def optimiser_part(spec: OptimiserSpec) -> OptimiserSpec:
    """How the weights follow the gradient."""
    kind = _pick("Optimiser", OPTIMISERS, spec.kind, "optimiser", "kind")
    entry = OPTIMISERS[kind]
    same = kind == spec.kind
    lr = log_dial(
        "Learning rate",
        spec.lr if same and spec.lr else entry.lr_default,
        entry.lr_low,
        entry.lr_high,
        "How far the weights move at each step.",
        key("optimiser", kind, "lr"),
    )
    schedule: Any = _pick("Schedule", SCHEDULES, spec.schedule, "optimiser", "schedule")
    params = fields(entry.parameters, spec.params if same else {}, "optimiser", kind)
    return OptimiserSpec(kind=kind, lr=lr, schedule=schedule, params=as_json(params))


def budget_part(spec: TrainSpec) -> TrainSpec:
    """How long, in what batches, and where."""
    epochs = st.number_input(
        "Epochs", 1, 1000, spec.epochs, key=key("train", "epochs"), help="Passes over the training images."
    )
    if limits := jobs().limits_of(visitor()).in_words():
        st.caption(plain(limits))
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
    return spec.model_copy(
        update={"epochs": epochs, "batch_size": batch_size, "device": device, "precision": precision}
    )


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
