"""One dial for a whole pipeline: every range and number, nearer to or further from what does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.catalogue import Entry, Number, Range


def scaled(entry: Entry, params: Mapping[str, Any], strength: float) -> dict[str, Any]:
    """``params`` of an operation (completed: in bounds, ranges as lists), ``strength`` times as strong.

    Each end of a range, and each number, goes to neutral + strength · (value − neutral), at most to its
    bounds, and to a whole number if it must be one. 0 leaves only what is neutral, 1 leaves all as it
    is. What has no neutral value stays.
    """
    if strength == 1:  # exactly: rounding would not give each number back
        return dict(params)
    result = dict(params)
    for parameter in entry.parameters:
        if isinstance(parameter, Number):
            result[parameter.name] = _scaled(params[parameter.name], parameter, strength)
        elif isinstance(parameter, Range):
            result[parameter.name] = [_scaled(end, parameter, strength) for end in params[parameter.name]]
    return result


def _scaled(value: float, parameter: Number | Range, strength: float) -> float:
    neutral = parameter.neutral
    if neutral is None:
        return value
    moved = min(max(neutral + strength * (value - neutral), parameter.low), parameter.high)
    return round(moved) if parameter.integer else float(moved)
