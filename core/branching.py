"""What a run that branches from another may have of its own, without torch."""

from __future__ import annotations

from typing import Any

from core.models.dropout import DROPOUTS
from core.run.errors import SpecError
from core.run.spec import DataSpec, RunSpec


def check_branch(spec: RunSpec, before: RunSpec) -> None:
    """Whether a run of ``spec`` can go on from one of ``before``; both completed.

    Raises:
        SpecError: it asks for other images, another split or another network.
    """
    for where, same, what, it in (
        ("data", _images(spec) == _images(before), "images", "them"),
        ("data.split_seed", spec.split_seed == before.split_seed, "validation images", "them"),
        ("model", _shape(spec) == _shape(before), "network", "it"),
    ):
        if not same:
            what = f"a branch goes on with the same {what}; start a new run to change {it}."
            raise SpecError(where, what, "needs_new_run")


def check_epochs_left(spec: RunSpec, epochs: int) -> None:
    """Whether a run of ``spec`` has something left to do after ``epochs`` epochs.

    Raises:
        SpecError: it has not.
    """
    if spec.train.epochs <= epochs:
        what = f"{epochs} epochs are done already; choose {epochs + 1} or more."
        raise SpecError("train.epochs", what, "too_small", {"value": spec.train.epochs, "ge": epochs + 1})


def _images(spec: RunSpec) -> DataSpec:
    return spec.data.model_copy(update={"split_seed": None})


def _shape(spec: RunSpec) -> tuple[str, dict[str, Any]]:
    """What decides which weights a network has."""
    return spec.model.arch, {name: value for name, value in spec.model.params.items() if name not in DROPOUTS}
