"""A study of each question, to begin from."""

from __future__ import annotations

import json
from typing import Any

from core.catalogue import look_up
from core.catalogues import completed
from core.run.spec import ModelSpec, OpSpec, RegulariserSpec, RunSpec, TrainSpec
from core.study.questions.catalogue import QUESTIONS
from core.study.spec import parse_study

_SMALL = RunSpec(
    name="",
    model=ModelSpec(arch="mlp", params={"hidden": [300, 100]}),
    regularisers=(RegulariserSpec(kind="l1", strength=1e-4, solver="proximal"),),
    train=TrainSpec(epochs=10),
)
_AUGMENTED = _SMALL.augment.model_copy(
    update={"ops": (OpSpec(op="RandomAffine", p=1.0, params={"degrees": [-12, 12], "translate": 0.08}),)}
)
_DROPOUT = ModelSpec(arch="mlp", params={"hidden": [300, 100], "dropout": 0.3})

_ASKED: dict[str, tuple[RunSpec, dict[str, Any]]] = {
    "strength": (_SMALL, {"folds": 5, "points": 8}),
    "ablation": (_SMALL.model_copy(update={"augment": _AUGMENTED, "model": _DROPOUT}), {"seeds": 5}),
    "search": (
        _SMALL.model_copy(update={"train": TrainSpec(epochs=27)}),
        {
            "settings": 27,
            "fields": [
                {"path": "optimiser.lr", "low": 1e-4, "high": 3e-2, "scale": "log"},
                {"path": "regularisers.0.strength", "low": 1e-6, "high": 1e-2, "scale": "log"},
                {"path": "model.params.dropout", "low": 0.0, "high": 0.6},
            ],
        },
    ),
    "race": (
        _SMALL,
        {
            "optimisers": [{"kind": "sgd"}, {"kind": "adam"}, {"kind": "adamw"}],
            "factors": [0.1, 0.3, 1, 3, 10],
        },
    ),
    "learning-curve": (_SMALL, {"seeds": 3}),
    "recipe": (
        _SMALL,
        {
            "steps": [
                {"how": "prune", "params": {"share": 0.9}, "train": {"epochs": 3}},
                {"how": "shrink"},
                {"how": "quantise", "params": {"bits": 4}, "train": {"epochs": 2}},
            ]
        },
    ),
    "distillation": (_SMALL, {"seeds": 5}),
    "seeds": (
        _SMALL.model_copy(update={"model": _DROPOUT}),
        {"seeds": 5, "varied": ["weights", "order", "split"]},
    ),
}


def suits(question: str) -> RunSpec:
    """A run that a question can be asked about, and that trains in a second or two."""
    return completed(_ASKED.get(question, (_SMALL, {}))[0]).model_copy(update={"name": ""})


def example(question: str, base: RunSpec | None = None) -> dict[str, Any]:
    """A study of this question as JSON values, all of it filled in.

    Args:
        base: the run that it is to be about; None: one that suits.

    Raises:
        SpecError: there is no such question, or none can be asked about this run.
    """
    look_up(QUESTIONS, question, "question", "question")
    about, asked = _ASKED.get(question, (_SMALL, {}))
    base = completed(base or about)
    study = parse_study({"version": 1, "question": question, "base": base.model_dump(mode="json"), **asked})
    found: dict[str, Any] = json.loads(study.model_dump_json())
    return found
