"""What run a study is about: what was chosen on Train, a run that is there, or a preset."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.catalogues import completed
from core.jobs.views import RunView
from core.presets import PRESETS
from core.run.errors import SpecError
from core.run.kinds import TRAIN, is_run
from core.run.made import is_made
from core.run.spec import RunSpec
from core.store.store import is_run_id
from core.text.describe import in_words, title
from core.text.escape import plain
from core.text.how_long import training_images
from pages.features.editor import choice
from pages.features.frame.setup import jobs

ABOUT = "about"  # in the address: a run's id
_MINE = "mine"
MOST_LOOKED_AT, MOST_OFFERED = 100, 12


def base_run(suits: Mapping[str, RunSpec]) -> RunSpec | None:
    """Choose it; None: what was chosen can't be trained, and the page says why.

    Args:
        suits: what else is offered, by name.
    """
    asked = _run_asked()
    runs = {**asked, **_finished()}
    offered = {
        **asked,
        _MINE: choice.current(),
        **suits,
        **runs,
        **{f"preset {n}": p.spec for n, p in PRESETS.items()},
    }
    names = {
        _MINE: "My choices on Train",
        **{key: f"Run: {title(spec)}" for key, spec in runs.items()},
        **{name: name for name in suits},
        **{f"preset {name}": f"Preset: {each.title}" for name, each in PRESETS.items()},
    }
    chosen = st.selectbox(
        "About which run?",
        list(offered),
        index=0 if asked else list(offered).index(next(iter(suits), _MINE)),
        format_func=lambda key: names[key],
        key=f"study.base.{next(iter(asked), '')}.{next(iter(suits), '')}",
        help="What is not varied is as in this run.",
    )
    try:
        spec = completed(offered[chosen])
    except SpecError as error:
        st.error(f"These choices can't be trained: {plain(str(error))}", icon=":material/error:")
        return None
    st.caption(plain(f"{in_words(spec)} · {spec.train.epochs} epochs{_of(spec)}"))
    return spec.model_copy(update={"name": ""})


def _of(spec: RunSpec) -> str:
    images = training_images(spec)
    return f" of {images:,.0f} images" if images and images > 1 else ""


def _finished() -> dict[str, RunSpec]:
    """The newest runs that a question can be asked about; repeats and cells of studies are left out."""
    found = [
        run
        for run in jobs().recent(MOST_LOOKED_AT)
        if run.state == "finished" and run.kind == TRAIN and not run.group and not is_made(run.inputs)
    ]
    return {run.id: run.spec for run in found[:MOST_OFFERED]}


def _run_asked() -> dict[str, RunSpec]:
    run_id = st.query_params.get(ABOUT, "")
    view = jobs().view(run_id) if is_run_id(run_id) else None
    return {run_id: view.spec_now} if view is not None and is_asked_about(view) else {}


def is_asked_about(view: RunView) -> bool:
    """Whether its spec alone makes it again: one that was made of others' networks has more to it."""
    return is_run(view.kind) and not is_made(view.inputs)
