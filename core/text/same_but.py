"""The same run but for one thing: what a person may try next, each as a whole spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from core.catalogue import title_of
from core.catalogues import completed
from core.models.catalogue import ARCHITECTURES
from core.presets import preset
from core.regularise.catalogue import REGULARISERS
from core.run.errors import SpecError
from core.run.spec import ModelSpec, RegulariserSpec, RunSpec, SeedsSpec
from core.text.differs import value_in_words

MOST_EPOCHS = 1000
OFFERED = "l1"  # the regulariser that a run without any is offered
DROPOUT = 0.5  # offered to a network that has none


class Variant(NamedTuple):
    """One change: of which part, in words, and the completed spec that has it and nothing else."""

    part: str
    words: str
    spec: RunSpec


def same_but(spec: RunSpec) -> list[Variant]:
    """What one can change about ``spec``, completed, by itself; those that these images don't allow are left
    out. All are judged by the same validation images, whatever their seed."""
    exam = spec.data.model_copy(update={"split_seed": spec.split_seed})
    base = spec.model_copy(update={"data": exam, "name": "", "note": ""})
    found = []
    for part, words, changed in _changes(base):
        try:
            whole = completed(base.model_copy(update=changed))
        except SpecError:
            continue
        if whole.choices() != completed(base).choices():
            found.append(Variant(part, words, whole))
    return found


def _changes(spec: RunSpec) -> Iterator[tuple[str, str, dict[str, Any]]]:
    another = {"seed": spec.seed + 1, "seeds": SeedsSpec()}  # also of what was held apart
    yield "Chance", f"another seed, {spec.seed + 1}", another
    yield from _augmentation(spec)
    yield from _regularisation(spec)
    for name, entry in ARCHITECTURES.items():
        if name != spec.model.arch:
            # Dropout is a change of its own.
            kept = {key: spec.model.params[key] for key in ("dropout",) if key in spec.model.params}
            yield "Network", _lower(entry.title), {"model": ModelSpec(arch=name, params=kept)}
    assert spec.optimiser.lr is not None, "the spec is completed"
    for factor, words in ((0.5, "half"), (2.0, "twice")):
        rate = factor * spec.optimiser.lr
        optimiser = spec.optimiser.model_copy(update={"lr": rate})
        yield "Training", f"{words} the learning rate, {value_in_words(rate)}", {"optimiser": optimiser}
    epochs = min(MOST_EPOCHS, 2 * spec.train.epochs)
    train = spec.train.model_copy(update={"epochs": epochs})
    yield "Training", f"twice the epochs, {epochs:,}", {"train": train}


def _augmentation(spec: RunSpec) -> Iterator[tuple[str, str, dict[str, Any]]]:
    augment = spec.augment
    if augment.mix is not None:
        yield "Augmentation", "without its mix", {"augment": augment.model_copy(update={"mix": None})}
    if any(op.enabled for op in augment.ops):
        ops = tuple(op.model_copy(update={"enabled": False}) for op in augment.ops)
        yield "Augmentation", "without augmentation", {"augment": augment.model_copy(update={"ops": ops})}
    else:
        ops = preset("augmented").augment.ops
        changed = augment.model_copy(update={"ops": ops, "choose": None})
        yield "Augmentation", "shifted, turned, partly erased", {"augment": changed}


def _regularisation(spec: RunSpec) -> Iterator[tuple[str, str, dict[str, Any]]]:
    kinds = spec.regularisers
    for i, each in enumerate(kinds):
        left = (*kinds[:i], *kinds[i + 1 :])
        yield "Regularisation", f"without {title_of(REGULARISERS, each.kind)}", {"regularisers": left}
    if not kinds:
        title = title_of(REGULARISERS, OFFERED)
        yield "Regularisation", f"with {title}", {"regularisers": (RegulariserSpec(kind=OFFERED),)}
    if "dropout" in spec.model.params:
        has = spec.model.params["dropout"]
        params = {**spec.model.params, "dropout": 0.0 if has else DROPOUT}
        words = "without dropout" if has else f"with dropout {DROPOUT:g}"
        yield "Regularisation", words, {"model": spec.model.model_copy(update={"params": params})}


def _lower(title: str) -> str:
    """A title within a sentence; one that begins with a capital word, as ``CNN``, stays."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]
