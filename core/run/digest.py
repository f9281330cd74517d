"""What makes two jobs one: equal digests give equal results on the same kind of machine."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.run.errors import SpecError
from core.run.spec import RunSpec

PARENT, FROM = "parent", "from"
_EXACT = 2**53  # below it every whole number is one float and one int


def digest(
    kind: str,
    spec: RunSpec,
    inputs: Mapping[str, Any] | None = None,
    edits: Sequence[Mapping[str, Any]] = (),
    parents: Sequence[str] = (),
) -> str:
    """SHA-256, as 64 hex digits, of what decides a job's result. The spec's name does not.

    Args:
        spec: completed, so that a default is written out.
        inputs: JSON values that the kind asks for. A ``parent`` among them is a run's id, and so is each in
            ``from``: what those were is told by ``parents``.
        edits: in the order they took effect.
        parents: digests of what the job starts from, in their order.

    Raises:
        SpecError: a number is not finite, or a value is not JSON.
    """
    described = spec.model_dump(mode="json", exclude={"name"})
    for later in ("fit", "split_seed"):  # what older releases had not counts where it is used
        if described["data"][later] is None:
            del described["data"][later]
    whole = {
        "kind": kind,
        "spec": described,
        "inputs": {name: value for name, value in (inputs or {}).items() if name not in (PARENT, FROM)},
        "edits": [dict(edit) for edit in edits],
        "parents": list(parents),
    }
    return hashlib.sha256(canonical(whole).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON in one way only: keys sorted, no spaces, and 1.0 written as 1, as JSON itself does not tell them
    apart.

    Raises:
        SpecError: a number is not finite, or a value is not JSON.
    """
    try:
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError("", f"A job is described by JSON values only: {error}.") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise SpecError("", f"A key of a job's inputs must be text, and {key!r} is not.")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise SpecError("", f"A job's numbers must be finite, and {value} is not.")
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    return value
