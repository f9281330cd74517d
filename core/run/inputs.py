"""A job's inputs, checked: plain JSON values in, a frozen value out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from core.run.errors import SpecError
from core.run.spec import Part

P = TypeVar("P", bound=Part)


def checked_inputs(model: type[P], inputs: Mapping[str, Any]) -> P:
    """``inputs`` as a ``model``.

    Raises:
        SpecError: a field is missing, unknown or out of bounds.
    """
    try:
        return model.model_validate_json(json.dumps(dict(inputs)))
    except (ValidationError, TypeError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise SpecError("inputs", f"they are no JSON values: {error}.") from None
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in ("inputs", *first["loc"]))
        raise SpecError(where, f"it can't be used: {first['msg']}.") from None
