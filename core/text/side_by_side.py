"""Runs beside each other in words: in which settings they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.augment.catalogue import OPERATIONS
from core.catalogue import title_of
from core.regularise.catalogue import REGULARISERS
from core.run.changes import settings
from core.run.spec import PURPOSES, Purpose, RunSpec
from core.text.differs import value_in_words
from core.text.refusals import place_in_words
from core.text.seeds import DRAWS

NONE = "–"  # a run has no such setting
_OPS, _REGULARISERS, _SEEDS = "augment.ops.", "regularisers.", "seeds."


def differing(specs: Sequence[RunSpec]) -> list[tuple[str, list[str]]]:
    """What is not alike in all of ``specs``, with all defaults filled in: what it is called, and what each of
    them has. What one run alone has of an operation is left out: that it has the operation is told."""
    apart = [name for name in PURPOSES if any(getattr(spec.seeds, name) is not None for spec in specs)]
    each = [settings(spec) | _seeds(spec, apart) for spec in specs]
    found = []
    for path in dict.fromkeys(path for values in each for path in values):
        there = [values for values in each if path in values]
        if path.startswith(_OPS) and len(there) < 2:
            continue
        said = [_in_words(path, values[path]) if path in values else NONE for values in each]
        if len(set(said)) > 1:
            found.append((_label(path), said))
    return found


def _seeds(spec: RunSpec, apart: Sequence[Purpose]) -> dict[str, Any]:
    """The run's own, and that in force for each purpose for which a run holds one apart."""
    return {"seed": spec.seed, **{f"seeds.{name}": spec.seed_of(name) for name in apart}}


def _label(path: str) -> str:
    """E.g. ``Affine, degrees``; an operation's or a regulariser's setting goes by its title."""
    if path.startswith(_SEEDS):
        return f"Seed, {DRAWS[path.removeprefix(_SEEDS)]}"
    if path.startswith(_OPS):
        name, _, field = path.removeprefix(_OPS).partition(".")
        return f"{_operation(name)}, {field.removeprefix('params.').replace('_', ' ')}"
    if path.startswith(_REGULARISERS):
        kind, _, field = path.removeprefix(_REGULARISERS).partition(".")
        return f"{title_of(REGULARISERS, kind)}, {field.removeprefix('params.').replace('_', ' ')}"
    return place_in_words(path)


def _operation(name: str) -> str:
    kind, _, stream = name.rpartition("-")
    title = title_of(OPERATIONS, kind)
    return title if stream == "0" else f"{title} {int(stream) + 1}" if stream.isdecimal() else name


def _in_words(path: str, value: Any) -> str:
    if path == "augment.ops":
        return ", ".join(_operation(each) for each in value) or "none"
    if path == "regularisers":
        return ", ".join(title_of(REGULARISERS, each) for each in value) or "none"
    if path.startswith(_OPS) and isinstance(value, list | tuple) and len(value) == 2:
        return " to ".join(value_in_words(each) for each in value)
    return value_in_words(value)
