"""Changes of a run's spec while it trains, and when each takes effect.

An edit is ``{"step": 1200, "set": {"optimiser.lr": 3e-4}}``: after 1,200 steps these fields have
these values. A run's spec and its edits give the same numbers again, bit for bit, whoever made the edits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from core.run.commands import MAX_VALUES
from core.run.errors import SpecError
from core.run.spec import RunSpec, parse, place_of, values_of

When = Literal["now", "next epoch", "needs a new run"]
MAX_EDITS = 10_000

# By pattern of path, where * is any one key. What is not here needs a new run. A new base rate keeps the
# schedule's phase, and a new strength its warm-up; with other epochs a schedule is stretched or shortened.
WHEN: dict[str, When] = {
    "train.epochs": "now",
    "train.batch_size": "next epoch",
    "model.params.dropout": "now",
    "model.params.channel_dropout": "now",
    "model.params.drop_path": "now",
    "optimiser.lr": "now",
    "regularisers.*.strength": "now",
    "augment.strength": "now",
    "augment.choose": "now",
    "augment.fuse": "now",
    "augment.ops.*.p": "now",
    "augment.ops.*.enabled": "now",
    "augment.ops.*.params.*": "now",
    "augment.mix.p": "now",
    "augment.mix.params.*": "now",
    "regularisers.*.params.norm": "now",
    "regularisers.*.params.patience": "next epoch",
    "regularisers.*.params.min_delta": "next epoch",
}


class Edit(TypedDict):
    step: int
    set: dict[str, Any]


def when(path: str) -> When:
    """When a change of the field at ``path`` takes effect."""
    keys = path.split(".")
    for pattern, time in WHEN.items():
        wanted = pattern.split(".")
        if len(wanted) == len(keys) and all(w in ("*", k) for w, k in zip(wanted, keys, strict=True)):
            return time
    return "needs a new run"


def apply(spec: RunSpec, edit: Mapping[str, Any]) -> RunSpec:
    """``spec`` after an edit; `core.catalogues.completed` checks its values by the catalogues.

    Raises:
        SpecError: there is no such field, it needs a new run, or the value is refused.
    """
    whole = values_of(spec)
    for path, value in edit["set"].items():
        place, key = place_of(whole, path)
        if when(path) == "needs a new run":
            raise SpecError(
                path, "it can't change while a run trains; a change needs a new run.", "needs_new_run"
            )
        place[key] = value
    return parse(whole)


def applied(spec: RunSpec, edits: Iterable[Mapping[str, Any]]) -> RunSpec:
    """``spec`` after edits that were made; one that this version no longer takes is left out."""
    for edit in edits:
        with suppress(SpecError):
            spec = apply(spec, edit)
    return spec


def values_at(spec: RunSpec, paths: Iterable[str]) -> dict[str, Any]:
    """What the fields at ``paths`` are."""
    whole = values_of(spec)
    found = ((path, *place_of(whole, path)) for path in paths)
    return {path: place[key] for path, place, key in found}


def read_edits(source: str | bytes | Sequence[Any]) -> list[Edit]:
    """Edits from JSON text or plain values, in the order of their steps; those of one step keep their order.
    ``edit`` events are edits too.

    Raises:
        SpecError: they are not a list of edits.
    """
    if isinstance(source, str | bytes):
        try:
            source = json.loads(source)
        except (ValueError, RecursionError) as error:
            raise SpecError("edits", f"they are not valid JSON: {error}.") from None
    if not isinstance(source, list | tuple) or len(source) > MAX_EDITS:
        raise SpecError("edits", f"give a list of at most {MAX_EDITS:,} edits.")
    edits = [_read_edit(each, f"edits[{i}]") for i, each in enumerate(source)]
    return sorted(edits, key=lambda edit: edit["step"])


def _read_edit(value: Any, where: str) -> Edit:
    example = '{"step": 1200, "set": {"optimiser.lr": 0.0003}}'
    if not isinstance(value, Mapping) or not isinstance(value.get("set"), Mapping):
        raise SpecError(where, f"it is no edit; write it as {example}.")
    step, change = value.get("step"), value["set"]
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        raise SpecError(f"{where}.step", f"{step!r} is not a number of steps, 0 or more.")
    if not 1 <= len(change) <= MAX_VALUES:
        raise SpecError(f"{where}.set", f"an edit sets 1 to {MAX_VALUES} values by their paths.")
    return {"step": step, "set": {str(path): value for path, value in change.items()}}
