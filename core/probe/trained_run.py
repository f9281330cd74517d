"""Which run's network a probe can ask."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.data.own import Form
from core.models.catalogue import ARCHITECTURES
from core.run.kinds import is_run
from core.run.spec import DataSpec
from core.store.folders import here
from core.store.store import StoredRun, run_folder

WEIGHTS = "weights.safetensors"


def latest_run(runs: Iterable[StoredRun], dataset: DataSpec) -> StoredRun | None:
    """The first of ``runs``, the newest first, that finished on these images and left its weights.

    How many images it trained on and how many it kept may differ: it is measured on those it kept.
    """
    fitting = (
        run
        for run in runs
        if is_run(run.kind)
        and run.state == "finished"
        and _same_images(run.spec.data, dataset)
        and run.spec.model.arch in ARCHITECTURES  # an older run's may be gone
    )
    return next((run for run in fitting if has_weights(run.id)), None)


def has_weights(run_id: str) -> bool:
    """Whether a run has left its weights, here or on another machine."""
    return weights_of_run(run_id).is_file()


def weights_of_run(run_id: str) -> Path:
    """Where they are, on this machine, if it has left some."""
    own = run_folder(run_id) / WEIGHTS
    return own if own.is_file() else here(run_id) / WEIGHTS


def _same_images(a: DataSpec, b: DataSpec) -> bool:
    return all(getattr(a, field) == getattr(b, field) for field in ("name", "path", *Form._fields))
