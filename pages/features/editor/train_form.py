"""The choices of a run as forms, part by part, made from the catalogues.

What a person does is in the visit's spec before the page runs again, so the form reads that and no more.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalogue import Entry
from core.data.shape import image_shape
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS
from core.optimise.schedules import SCHEDULES
from core.presets import PRESETS
from core.run.spec import MAX_PROCESSES, ModelSpec, OptimiserSpec, RunSpec, TrainSpec
from core.runtime import most_processes
from core.text.escape import plain
from pages.features.editor import choice
from pages.features.editor.augment_editor import augment_editor
from pages.features.editor.choice import key
from pages.features.editor.data_part import data_part
from pages.features.editor.fields import fields, log_dial, said
from pages.features.editor.marks import Marks, framed, part, undo_all
from pages.features.editor.regulariser_editor import regulariser_editor
from pages.features.frame.setup import jobs
from pages.features.frame.teacher import part_shown
from pages.features.frame.visitor import visitor
from pages.features.plan.first_batch import batch_place


def train_form(spec: RunSpec, marks: Marks) -> DeltaGenerator | None:
    """Every part of the visit's spec that a teacher's link leaves, as widgets, folded.

    Returns:
        Where the first images of the run go, if they have a place here.
    """
    batch, branches = None, not choice.base().name  # a branch keeps its images
    if part_shown("preset"):
        preset_part(marks)
    if part_shown("data") and not branches:
        with part("data", "Data", "data", ":material/photo_library:", expanded=True):
            data_part(spec.data, spec.seed)
    if part_shown("augmentation"):
        with st.container(key="augmentation"):
            batch = batch_place(spec.augment)
            with part("augment", "Augmentation", "augment", ":material/auto_fix_high:"):
                augment_editor(spec.augment, channels=image_shape(spec.data).channels)
    if part_shown("architecture"):
        with part("model", "Architecture", "model", ":material/schema:", expanded=not branches):
            model_part(spec.model)
    if part_shown("regularisers"):
        with part("regulariser", "Regularisers", "regularisers", ":material/compress:", expanded=True):
            regulariser_editor(spec.regularisers, spec.train.epochs)
    if part_shown("optimiser"):
        with part("optimiser", "Optimiser", "optimiser", ":material/trending_down:", expanded=branches):
            optimiser_part(spec.optimiser)
    if part_shown("budget"):
        with part("budget", "Budget", "train", ":material/timer:", expanded=branches):
            budget_part(spec.train)
    return batch


def preset_part(marks: Marks) -> None:
    """What to start from, and how much of it was changed."""
    base, at = choice.base(), key("preset")
    if not base.name:  # a branch
        undo_all(marks, base.title)
        return
    st.selectbox(
        "Start from",
        list(PRESETS),
        list(PRESETS).index(base.name),
        format_func=lambda name: PRESETS[name].title,
        key=at,
        help="Fills the whole form; your own images stay.",
        on_change=lambda: choice.choose(st.session_state[at]),
    )
    undo_all(marks, base.title)


def model_part(spec: ModelSpec) -> None:
    """An architecture, what it is in a paragraph, and its sizes."""
    _pick("Architecture", ARCHITECTURES, spec.arch, "model.arch", _set_architecture)
    entry = ARCHITECTURES[spec.arch]
    fields(
        entry.parameters, spec.params, "model", spec.arch, path="model.params", on_change=_set_architecture
    )
    with st.popover("What is this?", icon=":material/help:"):
        st.markdown(entry.help)
        st.caption(entry.source)


def _set_architecture() -> None:
    before, arch = choice.current().model, st.session_state[key("model", "arch")]
    given = before.params if arch == before.arch else {}
    params = said(ARCHITECTURES[arch].parameters, given, "model", arch)
    choice.change("model", ModelSpec(arch=arch).model_copy(update={"params": params}))


def optimiser_part(spec: OptimiserSpec) -> None:
    """How the weights follow the gradient."""
    _pick("Optimiser", OPTIMISERS, spec.kind, "optimiser.kind", _set_optimiser)
    entry = OPTIMISERS[spec.kind]
    with framed("optimiser.lr", "Learning rate"):
        log_dial(
            "Learning rate",
            spec.lr or entry.lr_default,
            entry.lr_low,
            entry.lr_high,
            "How far the weights move at each step.",
            key("optimiser", spec.kind, "lr"),
            _set_optimiser,
        )
    _pick("Schedule", SCHEDULES, spec.schedule, "optimiser.schedule", _set_optimiser)
    fields(
        SCHEDULES[spec.schedule].parameters,
        spec.schedule_params,
        "schedule",
        spec.schedule,
        path="optimiser.schedule_params",
        on_change=_set_optimiser,
    )
    fields(
        entry.parameters,
        spec.params,
        "optimiser",
        spec.kind,
        path="optimiser.params",
        on_change=_set_optimiser,
    )


def _set_optimiser() -> None:
    before, kind = choice.current().optimiser, st.session_state[key("optimiser", "kind")]
    same, entry = kind == before.kind, OPTIMISERS[kind]
    lr = st.session_state.get(key("optimiser", kind, "lr"), (before.lr if same else None) or entry.lr_default)
    schedule = st.session_state[key("optimiser", "schedule")]
    params = said(entry.parameters, before.params if same else {}, "optimiser", kind)
    given = before.schedule_params if schedule == before.schedule else {}
    shape = said(SCHEDULES[schedule].parameters, given, "schedule", schedule)
    chosen = OptimiserSpec(kind=kind, lr=lr, schedule=schedule, schedule_params=shape, params=params)
    choice.change("optimiser", chosen)


def budget_part(spec: TrainSpec) -> None:
    """How long, in what batches, and where."""
    with framed("train.epochs", "Epochs"):
        st.number_input(
            "Epochs",
            1,
            1000,
            spec.epochs,
            key=key("train", "epochs"),
            help="Passes over the training images.",
            on_change=partial(_set_budget, "epochs"),
        )
    sizes = sorted({2**i for i in range(3, 13)} | {spec.batch_size})
    if limits := jobs().limits_of(visitor()).in_words():
        st.caption(plain(limits))
    with framed("train.batch_size", "Batch size"):
        st.select_slider(
            "Batch size (images)",
            sizes,
            spec.batch_size,
            key=key("train", "batch_size"),
            on_change=partial(_set_budget, "batch_size"),
        )
    with framed("train.device", "Device"):
        st.segmented_control(
            "Device",
            ("auto", "cpu", "cuda"),
            default=spec.device,
            required=True,
            key=key("train", "device"),
            help="auto: a CUDA device if there is one.",
            on_change=partial(_set_budget, "device"),
        )
    if spec.device != "cpu":
        with framed("train.precision", "Precision"):
            st.segmented_control(
                "Precision",
                ("float32", "bfloat16"),
                default=spec.precision,
                required=True,
                key=key("train", "precision"),
                help="bfloat16 is faster on recent CUDA devices, and refused on a CPU, where it is slower.",
                on_change=partial(_set_budget, "precision"),
            )
    _processes(spec)


def _processes(spec: TrainSpec) -> None:
    """How many processes share each batch, and in what they exchange gradients."""
    with framed("train.processes", "Processes"):
        st.number_input(
            "Processes",
            1,
            max(min(most_processes(), MAX_PROCESSES), spec.processes),
            spec.processes,
            key=key("train", "processes"),
            help="They share each batch, and the machine's cores. The numbers are those of one process, but "
            "for the order of sums. Whether it is faster, the run's tab Measures says.",
            on_change=partial(_set_budget, "processes"),
        )
    if spec.processes > 1:
        with framed("train.gradient_precision", "Gradients exchanged in"):
            st.segmented_control(
                "Gradients exchanged in",
                ("float32", "bfloat16"),
                default=spec.gradient_precision,
                required=True,
                key=key("train", "gradient_precision"),
                help="bfloat16 is half the bytes, and rounds each gradient to 8 bits: other numbers.",
                on_change=partial(_set_budget, "gradient_precision"),
            )


def _set_budget(name: str) -> None:
    value = st.session_state[key("train", name)]
    choice.change("train", choice.current().train.model_copy(update={name: value}))


def _pick(label: str, catalogue: dict[str, Any], name: str, path: str, on_change: Any) -> None:
    """A choice among a catalogue's entries, by their titles."""
    names = list(catalogue)
    with framed(path, label, lambda each: str(catalogue[each].title)):
        st.selectbox(
            label,
            names,
            names.index(name),
            format_func=lambda each: catalogue[each].title,
            key=key(*path.split(".")),
            on_change=on_change,
        )
    entry: Entry = catalogue[name]
    if path != "model.arch":
        st.caption(entry.help)
