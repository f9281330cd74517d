"""Plain values as Python text, broken into lines as ruff breaks them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

WIDTH = 110  # columns; what is longer gets a line for each of its parts
_ONE_LINE = -(10**9)  # a column from which everything fits


@dataclass(frozen=True, slots=True)
class Call:
    """A call with keyword arguments, e.g. ``K.RandomHue(hue=(-0.1, 0.1), p=1.0)``."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Name:
    """A name that the script has."""

    name: str


def literal(value: Any, column: int = _ONE_LINE, indent: int = 0) -> str:
    """A plain value or a `Call` as Python.

    Args:
        column: how many letters stand before it on its line.
        indent: of that line, in spaces.
    """
    if isinstance(value, Call):
        parts = [(f"{name}=", argument) for name, argument in value.arguments.items()]
        return _group(f"{value.name}(", parts, ")", column, indent)
    if isinstance(value, dict):
        return _group("{", [(f"{literal(key)}: ", item) for key, item in value.items()], "}", column, indent)
    if isinstance(value, list):
        return _group("[", [("", item) for item in value], "]", column, indent)
    if isinstance(value, tuple):
        return _group("(", [("", item) for item in value], ",)" if len(value) == 1 else ")", column, indent)
    if isinstance(value, Name):
        return value.name
    if isinstance(value, str):
        return json.dumps(value)  # in double quotes
    assert value is None or isinstance(value, bool | int | float), f"no text for {value!r}"
    return repr(value)


def _group(opening: str, parts: Iterable[tuple[str, Any]], closing: str, column: int, indent: int) -> str:
    """Parts, each with a prefix, on one line if they and a comma fit, else on a line each."""
    flat = opening + ", ".join(prefix + literal(value) for prefix, value in parts) + closing
    if column + len(flat) < WIDTH:
        return flat
    deeper = indent + 4
    lines = [
        " " * deeper + prefix + literal(value, deeper + len(prefix), deeper) + ",\n"
        for prefix, value in parts
    ]
    return f"{opening}\n{''.join(lines)}{' ' * indent}{closing[-1]}"
