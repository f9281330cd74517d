"""The text of the calls that made modules, seen while they were made.

Kornia's modules don't keep their arguments, and a second list of them would drift from the catalogue's
builders. So a builder is watched: Python tells a thread's profiler of each call, and the first
``__init__`` of an object shows the arguments that it was really given.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable
from enum import Enum
from types import FrameType
from typing import Any, TypeVar

import kornia.augmentation as K
import numpy as np
from torch import Tensor, nn

from core.augment.export.sources import Source

WIDTH = 110  # columns; what is longer gets a line for each of its parts
_ONE_LINE = -(10**9)  # a column from which everything fits

T = TypeVar("T")


class Constructors:
    """Remembers how modules were made, and writes it down as Python.

    Args:
        source: gets the imports and definitions that what is written needs.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._made: dict[int, tuple[nn.Module, dict[str, Any]]] = {}  # keeps them alive: ids stay theirs

    def watch(self, build: Callable[[], T]) -> T:
        """What ``build`` makes, in this thread."""
        before = sys.getprofile()
        sys.setprofile(self._see)
        try:
            return build()
        finally:
            sys.setprofile(before)

    def write(self, value: Any, column: int = _ONE_LINE, indent: int = 0) -> str:
        """A module that was watched, or a plain value, as Python.

        Args:
            column: how many letters stand before it on its line.
            indent: of that line, in spaces.
        """
        if isinstance(value, nn.Module):
            return self._group(f"{self._name(value)}(", self._arguments(value), ")", column, indent)
        if isinstance(value, dict):
            parts = [(f"{self.write(key)}: ", item) for key, item in value.items()]
            return self._group("{", parts, "}", column, indent)
        if isinstance(value, list):
            return self._group("[", [("", item) for item in value], "]", column, indent)
        if isinstance(value, tuple):
            closing = ",)" if len(value) == 1 else ")"
            return self._group("(", [("", item) for item in value], closing, column, indent)
        if isinstance(value, Tensor):
            return f"{self.source.use('torch')}.tensor({_digits(value)})"
        if isinstance(value, Enum):
            return f"{self.source.add(type(value))}.{value.name}"
        if isinstance(value, str):
            return json.dumps(value)  # in double quotes
        assert value is None or isinstance(value, bool | int | float), f"no text for {value!r}"
        return repr(value)

    def _see(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or frame.f_code.co_name != "__init__":
            return
        names, _, keywords, values = inspect.getargvalues(frame)
        made = values[names[0]] if names else None
        if isinstance(made, nn.Module) and id(made) not in self._made:
            arguments = {name: values[name] for name in names[1:]} | values.get(keywords or "", {})
            self._made[id(made)] = (made, arguments)

    def _name(self, module: nn.Module) -> str:
        kind = type(module)
        if getattr(K, kind.__name__, None) is kind:
            return f"{self.source.use('kornia.augmentation', 'K')}.{kind.__name__}"
        return self.source.add(kind)

    def _arguments(self, module: nn.Module) -> list[tuple[str, Any]]:
        """What was given and differs from the class's defaults, and always ``p``."""
        parameters = inspect.signature(type(module)).parameters.values()
        assert all(p.kind != p.VAR_POSITIONAL for p in parameters), "only named arguments are seen"
        defaults = {p.name: p.default for p in parameters}
        return [
            (f"{name}=", value)
            for name, value in self._made[id(module)][1].items()
            if name == "p" or not _same(value, defaults.get(name, inspect.Parameter.empty))
        ]

    def _group(
        self, opening: str, parts: Iterable[tuple[str, Any]], closing: str, column: int, indent: int
    ) -> str:
        """Parts, each with a prefix, on one line if they and a comma fit, else on a line each."""
        flat = opening + ", ".join(prefix + self.write(value) for prefix, value in parts) + closing
        if column + len(flat) < WIDTH:
            return flat
        deeper = indent + 4
        lines = [
            " " * deeper + prefix + self.write(value, deeper + len(prefix), deeper) + ",\n"
            for prefix, value in parts
        ]
        return f"{opening}\n{''.join(lines)}{' ' * indent}{closing[-1]}"


def _digits(tensor: Tensor) -> str:
    """A tensor's numbers as nested lists, each in the fewest digits that its type tells apart."""
    if tensor.ndim:
        return f"[{', '.join(_digits(row) for row in tensor)}]"
    return np.format_float_positional(tensor.numpy()[()], trim="0")  # type: ignore[arg-type]


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and not isinstance(value, Tensor) and bool(value == default)
