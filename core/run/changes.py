"""Which fields of a spec differ from those of another, field by field, and how one of them is put back.

A field has a path as in `core.run.spec`, but what stands in a list goes by its name and not by its place:
``augment.ops.RandomAffine-0.params.degrees``, ``regularisers.l1.strength``. ``augment.ops`` and
``regularisers`` alone stand for which there are, and in what order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from core.run.spec import MixSpec, OpSpec, Part, RegulariserSpec, RunSpec

P = TypeVar("P", bound=Part)

_PARTS = ("data", "model", "optimiser", "train")
# What follows from another choice is no difference of its own.
_OWNERS = {
    "data.name": ("data.path", "data.side", "data.channels", "data.fit"),
    "data.path": ("data.side", "data.channels", "data.fit"),
    "model.arch": ("model.params.",),
    "optimiser.kind": ("optimiser.lr", "optimiser.params."),
    "optimiser.schedule": ("optimiser.schedule_params.",),
    "augment.mix": ("augment.mix.",),
}
# Fields of a regulariser that are put back with another.
_TOGETHER = {
    "schedule": ("schedule", "warmup_epochs"),
    "release_epochs": ("release_epochs", "release_rate"),
}


def op_id(op: OpSpec) -> str:
    """What names an operation wherever it stands in the pipeline: its kind, and its stream among those."""
    return f"{op.op}-{op.stream or 0}"


def settings(spec: RunSpec) -> dict[str, Any]:
    """Every field that a form shows, by its path; name and seed are none of them."""
    values: dict[str, Any] = {}
    for name in _PARTS:
        values |= _fields(name, getattr(spec, name))
    values["data.split_seed"] = spec.split_seed
    augment = spec.augment
    values |= {f"augment.{name}": getattr(augment, name) for name in ("choose", "strength", "fuse")}
    values["augment.ops"] = [op_id(op) for op in augment.ops]
    for op in augment.ops:
        values |= _fields(f"augment.ops.{op_id(op)}", op)
    if augment.mix:
        values |= _fields("augment.mix", augment.mix)
    values["augment.mix"] = augment.mix and augment.mix.op
    values["regularisers"] = [each.kind for each in spec.regularisers]
    for each in spec.regularisers:
        place = f"regularisers.{each.kind}"
        values |= _fields(place, each)
        values[f"{place}.schedule"] = each.schedule if each.warmup_epochs else "constant"
        if not each.warmup_epochs:
            del values[f"{place}.warmup_epochs"]
        if not each.release_epochs:
            del values[f"{place}.release_rate"]
    return values


def changed(spec: RunSpec, base: RunSpec) -> list[str]:
    """The paths of the fields that ``spec`` has otherwise than ``base``.

    Args:
        spec, base: with all defaults filled in.
    """
    ours, theirs = settings(spec), settings(base)
    differ = [path for path, value in ours.items() if path in theirs and theirs[path] != value]
    owned = tuple(each for owner in differ for each in _OWNERS.get(owner, ()))
    return [path for path in differ if not (owned and path.startswith(owned))]


def put_back(spec: RunSpec, base: RunSpec, path: str) -> RunSpec:
    """``spec`` with the field at ``path``, and what follows from it, as ``base`` has it."""
    part, _, rest = path.partition(".")
    if part == "regularisers":
        kinds = {each.kind: each for each in spec.regularisers}
        if not rest:
            kept = tuple(kinds.get(each.kind, each) for each in base.regularisers)
        else:
            kind, _, field = rest.partition(".")
            meant = next(each for each in base.regularisers if each.kind == kind)
            fields = _TOGETHER.get(field, (field,))
            kept = tuple(
                _with(each, meant, fields) if each.kind == kind else each for each in spec.regularisers
            )
        return spec.model_copy(update={"regularisers": kept})
    ours, theirs = getattr(spec, part), getattr(base, part)
    if path == "augment.ops":
        there = {op_id(op): op for op in ours.ops}
        new = ours.model_copy(update={"ops": tuple(there.get(op_id(op), op) for op in theirs.ops)})
    elif rest.startswith("ops."):
        _, which, field = rest.split(".", 2)
        meant_op = next(op for op in theirs.ops if op_id(op) == which)
        ops = tuple(_with(op, meant_op, (field,)) if op_id(op) == which else op for op in ours.ops)
        new = ours.model_copy(update={"ops": ops})
    elif rest.startswith("mix."):
        mix = _with(ours.mix, theirs.mix, (rest.removeprefix("mix."),))
        new = ours.model_copy(update={"mix": mix})
    else:
        follow = [each.partition(".")[2].rstrip(".") for each in _OWNERS.get(path, ()) if part != "augment"]
        new = _with(ours, theirs, (rest, *follow))
    if path == "data.split_seed" and new.split_seed is None:
        new = new.model_copy(update={"split_seed": base.seed})
    return spec.model_copy(update={part: new})


def place_of_error(where: str, spec: RunSpec) -> str:
    """The path, as here, of the field that a `SpecError` names: ``regularisers[0].solver`` →
    ``regularisers.l1.solver``. A number in a list is its list's."""
    match = re.fullmatch(r"(augment\.ops|regularisers)\[(\d+)\](.*)", where)
    if match:
        listed: Sequence[Any] = spec.augment.ops if match[1] == "augment.ops" else spec.regularisers
        if int(match[2]) < len(listed):
            item = listed[int(match[2])]
            name = op_id(item) if isinstance(item, OpSpec) else item.kind
            where = f"{match[1]}.{name}{match[3]}"
    return re.sub(r"(\[\d+\])+$", "", where)


def _fields(place: str, part: OpSpec | MixSpec | RegulariserSpec | Part) -> dict[str, Any]:
    return dict(_each_field(place, part))


def _each_field(place: str, part: Part) -> Iterator[tuple[str, Any]]:
    for name, value in part:
        if name in ("params", "schedule_params"):
            for key, each in value.items():
                yield f"{place}.{name}.{key}", list(each) if isinstance(each, list | tuple) else each
        elif name not in ("op", "stream") and not (name == "kind" and isinstance(part, RegulariserSpec)):
            yield f"{place}.{name}", value


def _with(ours: P, theirs: P, fields: Sequence[str]) -> P:
    """``ours`` with these fields, or single parameters, of ``theirs``."""
    update: dict[str, Any] = {}
    for field in fields:
        name, _, parameter = field.partition(".")
        if parameter:
            params = update.get(name, getattr(ours, name))
            update[name] = {**params, parameter: getattr(theirs, name)[parameter]}
        else:
            update[name] = getattr(theirs, name)
    return ours.model_copy(update=update)
