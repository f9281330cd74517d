"""What to make of a run's network: which transform, its dials, and whether it is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.jobs.rights import new_key
from core.jobs.views import RunView
from core.run.digest import FROM
from core.run.errors import SpecError
from core.run.figures import result_of
from core.run.history import summary
from core.run.kinds import TRANSFORM
from core.run.made import is_made
from core.run.spec import ModelSpec
from core.text.describe import title
from core.text.escape import plain
from core.transform.catalogue import TRANSFORMS, Transform
from core.transform.plan import Asked, fits
from pages.features.compress.dials import dials
from pages.features.compress.student import student
from pages.features.frame.refused import refusal, refuse
from pages.features.frame.setup import jobs
from pages.features.frame.share import keep_control_key
from pages.features.frame.visitor import visitor
from pages.features.live.starting import frozen_note
from pages.features.study.base import is_asked_about

MOST_EPOCHS, MOST_OTHERS = 50, 60
LABELS = {"train.epochs": "Epochs"}  # what this form calls a field
AT = ".compress"  # where a refusal is said
FEWEST_WORDS = "Repeat this run with another seed first."


def chosen_way() -> Transform:
    """What a person wants to make."""
    how = st.segmented_control(
        "Make it smaller",
        list(TRANSFORMS),
        default="prune",
        required=True,
        format_func=lambda name: TRANSFORMS[name].title,
        key="way",
        bind="query-params",
    )
    entry = TRANSFORMS[how if how in TRANSFORMS else "prune"]
    st.caption(entry.help)
    return entry


def form(view: RunView, entry: Transform) -> None:
    """Its dials, and the button."""
    others = _others(view, entry) if entry.most > 1 else []
    if len(others) + 1 < entry.fewest:
        st.info(f"There is no other run to merge it with yet. {FEWEST_WORDS}", icon=":material/merge:")
        return
    params = dials(entry, view.spec, f"compress.{entry.name}", {})
    model = student("compress") if entry.student else None
    most = min(MOST_EPOCHS, max(20, 2 * view.spec.train.epochs))
    least = 1 if entry.student else 0
    epochs = st.slider(
        "Epochs of the student" if entry.student else "Then train on for (epochs)",
        least,
        most,
        min(most, view.spec.train.epochs) if entry.student else entry.epochs,
        key=_key(entry, "more epochs"),
        help="It begins anew, and learns on this run's images, with its optimiser and augmentation."
        if entry.student
        else "0 leaves it as it is made. What is zero stays zero; penalties of this run are not kept.",
    )
    frozen_note()
    st.button(
        f"{entry.title} it",
        type="primary",
        icon=":material/compress:",
        key=_key(entry, "make it"),
        on_click=_start,
        args=(entry.name, view.id, tuple(others), params, model, int(epochs)),
        help="Makes another run; this one stays as it is.",
    )
    refusal(AT)
    if is_asked_about(view):
        label, question = ("Over several seeds: does a teacher help?", "distillation")
        if not entry.student:
            label, question = ("Several steps in a row: what does each cost?", "recipe")
        asked = {"ask": question, "about": view.id}
        st.page_link("pages/4_Studies.py", label=label, icon=":material/science:", query_params=asked)


def _key(entry: Transform, name: str) -> str:
    return f"compress.{entry.name}.{name}"


def _others(view: RunView, entry: Transform) -> list[str]:
    """The runs that are taken beside this one, chosen by a person; for a student none by default."""
    recent = jobs().recent(MOST_OTHERS)
    made = {run.id for run in recent if is_made(run.inputs)}  # perhaps of this one
    fitting = {
        run.id: title(run.spec)
        for run in recent
        if run.id != view.id
        and run.state == "finished"
        and run.kind != TRANSFORM  # its weights are another's
        and fits(entry, view.spec, run.spec)
        and (entry.student or _weights(run.summary) == _weights(summary(view.history)))
    }
    if not fitting:
        return []
    label = "Other teachers beside this run" if entry.student else "Merge it with"
    chosen = st.multiselect(
        label,
        list(fitting),
        default=[] if entry.student else [run_id for run_id in fitting if run_id not in made][:1],
        format_func=lambda run_id: plain(fitting.get(run_id, run_id[:8])),
        max_selections=entry.most - 1,
        key=_key(entry, "others"),
    )
    return list(chosen)


def _weights(known: Mapping[str, Any] | None) -> int | None:
    """How many weights a network has: fewer than its spec builds, if units were taken out."""
    return result_of(known)["sparsity"]["weights"] if known else None


def _start(
    how: str,
    run_id: str,
    others: tuple[str, ...],
    params: dict[str, Any],
    model: dict[str, Any] | None,
    epochs: int,
) -> None:
    try:
        asked = Asked.model_validate(
            {
                FROM: (run_id, *others),
                "params": params,
                "train": {"epochs": epochs},
                "model": ModelSpec.model_validate(model) if model else None,
            }
        )
        key = new_key()
        made = jobs().make(how, asked, visitor=visitor(), key=key)
    except SpecError as error:
        refuse(SpecError(LABELS.get(error.where, error.where), error.what, error.code), AT)
        return
    keep_control_key(made, key)
