"""All that can be chosen, together: the catalogues as one listing, and a spec checked against them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any, TypeVar

from core import __version__
from core.augment.catalogue import OPERATIONS
from core.augment.check import check_augment_names, completed_augment
from core.augment.ops.mixes import MIXES
from core.catalogue import Entry, as_json, look_up
from core.catalogue import completed_params as check_params
from core.data.catalogue import DATASETS, check_data
from core.data.shape import image_shape
from core.measure.catalogue import MEASURES
from core.models.catalogue import ARCHITECTURES
from core.models.check import completed_model
from core.models.dropout import DROPOUTS
from core.optimise.catalogue import OPTIMISERS, completed_optimiser
from core.optimise.schedules import SCHEDULES
from core.regularise.catalogue import REGULARISERS, passes
from core.regularise.check import completed_regularisers
from core.run.errors import SpecError
from core.run.spec import (
    AugmentSpec,
    DataSpec,
    MixSpec,
    ModelSpec,
    OpSpec,
    OptimiserSpec,
    Part,
    RegulariserSpec,
    RunSpec,
    SeedsSpec,
    TrainSpec,
)

P = TypeVar("P", bound=Part)


def completed(spec: RunSpec) -> RunSpec:
    """``spec`` checked against every catalogue, with what was left out and `versions` filled in.

    For a person's own images the number of classes is not known before they are loaded; the engine
    then checks the network once more.

    Raises:
        SpecError: something is unknown, out of bounds, or does not go together.
    """
    check_data(spec.data)
    if spec.augment.mix is not None and spec.train.batch_size == 1:
        raise SpecError(
            "train.batch_size",
            f"{spec.augment.mix.op} mixes the images of a batch, and a batch of 1 has no two; "
            "choose 2 or more, or train without a mix.",
        )
    if spec.train.batch_size < spec.train.processes:
        raise SpecError(
            "train.batch_size",
            f"a batch of {spec.train.batch_size} can't be shared by {spec.train.processes} processes; "
            "choose as many images or more.",
        )
    shape = image_shape(spec.data)
    regularisers, optimiser = completed_regularisers(spec.regularisers), completed_optimiser(spec.optimiser)
    _check_proximal(regularisers, optimiser)
    if spec.train.processes > 1 and passes(regularisers) > 1:
        raise SpecError(
            "train.processes",
            "sharpness-aware minimisation takes two passes a step, and is not shared by several processes; "
            "train it by one, or leave it out.",
        )
    if spec.train.processes > 1 and any(REGULARISERS[each.kind].taught for each in regularisers):
        what = "distillation is not shared by several processes; train it by one."
        raise SpecError("train.processes", what)
    same_split = spec.data.split_seed == spec.seed  # one way to say one thing
    apart = {purpose: None if seed == spec.seed else seed for purpose, seed in spec.seeds}
    return spec.model_copy(
        update={
            "seeds": SeedsSpec(**apart),
            "data": spec.data.model_copy(update={"split_seed": None}) if same_split else spec.data,
            "augment": completed_augment(spec.augment, shape.channels),
            "model": completed_model(
                spec.model, channels=shape.channels, side=shape.side, num_classes=shape.num_classes
            ),
            "regularisers": regularisers,
            "optimiser": optimiser,
            "train": _completed_train(spec.train),
            "versions": versions(),
        }
    )


def _completed_train(spec: TrainSpec) -> TrainSpec:
    """One process has nobody to exchange gradients with."""
    return spec if spec.processes > 1 else spec.model_copy(update={"gradient_precision": "float32"})


def _check_proximal(regularisers: Sequence[RegulariserSpec], optimiser: OptimiserSpec) -> None:
    """A proximal step has to be as long as the optimiser's own."""
    entry = OPTIMISERS[optimiser.kind]
    if entry.proximal:
        return
    why = entry.why_not_proximal or f"a proximal step can't tell how long the steps of {entry.title} are"
    for i, each in enumerate(regularisers):
        if each.solver == "proximal":
            raise SpecError(
                f"regularisers[{i}].solver",
                f"{why}; solve {REGULARISERS[each.kind].short} by penalty, or choose another optimiser.",
            )


def filled(spec: RunSpec) -> RunSpec:
    """``spec`` as a link carries it: what was left out is filled in, part by part, with `versions`, so that a
    link still says the same once a default has changed. A part that is refused stays as it is."""

    def part(complete: Callable[[Any], P], given: P) -> P:
        try:
            return complete(given)
        except SpecError:
            return given

    update: dict[str, Any] = {"versions": versions()}
    try:
        shape = image_shape(spec.data)
    except SpecError:
        return spec.model_copy(update=update)
    sizes = {"channels": shape.channels, "side": shape.side, "num_classes": shape.num_classes}

    def op(given: OpSpec) -> OpSpec:
        return completed_augment(AugmentSpec(ops=(given,)), shape.channels).ops[0]

    def mix(given: MixSpec) -> MixSpec:
        return completed_augment(AugmentSpec(mix=given), shape.channels).mix or given

    ops = tuple(part(op, each) for each in spec.augment.ops)
    mixed = spec.augment.mix and part(mix, spec.augment.mix)
    update["augment"] = spec.augment.model_copy(update={"ops": ops, "mix": mixed})
    update["model"] = part(lambda given: completed_model(given, **sizes), spec.model)
    update["optimiser"] = part(completed_optimiser, spec.optimiser)
    with suppress(SpecError):
        update["regularisers"] = completed_regularisers(spec.regularisers)
    return spec.model_copy(update=update)


@cache
def versions() -> dict[str, str]:
    """What completes a spec here: the versions of Augury, torch and Kornia, and the first 12 digits of a
    SHA-256 of the catalogues' defaults and of their entries' numbers and flags. Bounds and texts are not in
    it."""
    facts = {
        noun: {
            entry["name"]: {
                "parameters": {each["name"]: each["default"] for each in entry["parameters"]},
                **{key: value for key, value in entry.items() if isinstance(value, bool | int | float)},
            }
            for entry in entries
        }
        for noun, entries in listing().items()
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    libraries = {name: metadata.version(name) for name in ("torch", "kornia")}
    return {"augury": __version__, **libraries, "catalogue": digest[:12]}


def bounded(spec: RunSpec) -> RunSpec:
    """``spec`` as it is, if each of its names is in a catalogue and each value in its bounds.

    It may still not go together: colour operations on grey images, patches that don't divide a side.
    A form can show such a spec, and say what is wrong with it.

    Raises:
        SpecError: an unknown name, or a value out of bounds.
    """
    look_up(DATASETS, spec.data.name, "data.name", "dataset")
    check_augment_names(spec.augment)
    _check_architecture(spec.model)
    completed_regularisers(spec.regularisers)
    completed_optimiser(spec.optimiser)
    return spec


def mended(spec: RunSpec) -> tuple[RunSpec, list[str]]:
    """A spec that another version of Augury has left, as a form can show it: the default stands for each part
    that is no longer there, an operation, a mix or a regulariser is left out. Then what is said of each."""
    said: list[str] = []

    def refused(check: Callable[[Any], object], part: Any, instead: str) -> bool:
        try:
            check(part)
        except SpecError as error:
            said.append(f"{error} {instead}")
            return True
        return False

    def default(check: Callable[[Any], object], part: P, other: P, name: str) -> P:
        return other if refused(check, part, f"{name} stands in its place.") else part

    update: dict[str, Any] = {"data": default(image_shape, spec.data, DataSpec(), DataSpec().name)}
    ops = [
        op
        for op in spec.augment.ops
        if not refused(check_augment_names, AugmentSpec(ops=(op,)), f"{op.op} is left out.")
    ]
    mix, choose = spec.augment.mix, spec.augment.choose
    if mix and refused(check_augment_names, AugmentSpec(mix=mix), f"{mix.op} is left out."):
        mix = None
    if choose and len(ops) < len(spec.augment.ops) and choose > sum(op.enabled for op in ops):
        choose = None
    update["augment"] = spec.augment.model_copy(update={"ops": tuple(ops), "mix": mix, "choose": choose})
    update["model"] = default(_check_architecture, spec.model, ModelSpec(), ModelSpec().arch)
    kept: list[RegulariserSpec] = []
    for each in spec.regularisers:
        if not refused(completed_regularisers, (*kept, each), f"{each.kind} is left out."):
            kept.append(each)
    update["regularisers"] = tuple(kept)
    update["optimiser"] = default(completed_optimiser, spec.optimiser, OptimiserSpec(), OptimiserSpec().kind)
    return spec.model_copy(update=update), said


def _check_architecture(spec: ModelSpec) -> None:
    """Its name and its parameters' bounds; not whether it fits any images."""
    check_params(look_up(ARCHITECTURES, spec.arch, "model.arch", "architecture"), spec.params, "model.params")


def listing() -> dict[str, list[dict[str, Any]]]:
    """Every entry of every catalogue, as JSON values."""
    catalogues: dict[str, Mapping[str, Entry]] = {
        "datasets": DATASETS,
        "operations": OPERATIONS,
        "mixes": MIXES,
        "architectures": ARCHITECTURES,
        "dropouts": DROPOUTS,
        "regularisers": REGULARISERS,
        "measures": MEASURES,
        "optimisers": OPTIMISERS,
        "schedules": SCHEDULES,
    }
    return {noun: [as_json(entry) for entry in entries.values()] for noun, entries in catalogues.items()}
