"""What an entry of a catalogue is, and what its parameters may be.

Six packages (`data`, `augment`, `models`, `regularise`, `optimise`, `measure`) hold catalogues: mappings
from a name to an `Entry`. Forms, validation, the command line's listing and exported scripts all read the
entries, so a bound, a unit or a sentence of help is written once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, Literal, TypeVar

from core.run.errors import SpecError, no_such

MOST = 1e300


@dataclass(frozen=True, slots=True)
class Number:
    """One number in ``[low, high]``; ``scale`` says how a slider should space it, ``neutral`` the value
    that changes nothing, if there is one: a strength scales the number around it."""

    name: str
    default: float
    low: float
    high: float
    help: str
    unit: str = ""
    step: float | None = None
    integer: bool = False
    scale: Literal["linear", "log"] = "linear"
    neutral: float | None = None

    def check(self, value: Any, where: str) -> float | int:
        return _number(value, self, where)


@dataclass(frozen=True, slots=True)
class Range:
    """Two numbers ``low <= first <= second <= high`` between which a value is drawn; ``neutral`` is the
    value that changes nothing, if there is one: a strength scales both ends around it."""

    name: str
    default: tuple[float, float]
    low: float
    high: float
    help: str
    unit: str = ""
    step: float | None = None
    integer: bool = False
    neutral: float | None = None

    def check(self, value: Any, where: str) -> tuple[float, float]:
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
            raise _wrong_type(where, value, "a pair of numbers [low, high]")
        first, second = (_number(item, self, f"{where}[{i}]") for i, item in enumerate(value))
        if first > second:
            raise SpecError(
                where,
                f"the first number, {first:g}, is above the second, {second:g}.",
                "wrong_order",
                {"first": first, "second": second},
            )
        return first, second


@dataclass(frozen=True, slots=True)
class Integers:
    """A short list of whole numbers, each in ``[low, high]``, e.g. the widths of a network."""

    name: str
    default: tuple[int, ...]
    low: int
    high: int
    help: str
    unit: str = ""
    min_length: int = 1
    max_length: int = 6
    integer: bool = True

    def check(self, value: Any, where: str) -> tuple[int, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise _wrong_type(where, value, "a list of whole numbers, like 32, 64, 128")
        if not self.min_length <= len(value) <= self.max_length:
            raise SpecError(
                where,
                f"it has {len(value)} numbers; {self.min_length} to {self.max_length} are allowed.",
                "wrong_length",
                {"length": len(value), "low": self.min_length, "high": self.max_length},
            )
        return tuple(int(_number(item, self, f"{where}[{i}]")) for i, item in enumerate(value))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    name: str
    default: str
    options: tuple[str, ...]
    help: str
    unit: str = ""

    def check(self, value: Any, where: str) -> str:
        if value not in self.options:
            raise SpecError(
                where,
                f"{value!r} is not one of {', '.join(self.options)}.",
                "not_a_choice",
                {"value": repr(value), "expected": ", ".join(self.options)},
            )
        return str(value)


@dataclass(frozen=True, slots=True)
class Flag:
    """On or off."""

    name: str
    default: bool
    help: str
    unit: str = ""

    def check(self, value: Any, where: str) -> bool:
        if not isinstance(value, bool):
            raise _wrong_type(where, value, "true or false")
        return value


Parameter = Number | Range | Integers | Choice | Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What every catalogue says of every entry; each catalogue adds fields of its own.

    Args:
        name: how specs refer to it.
        title: how a page names it, in sentence case.
        help: one sentence (for an architecture, a short paragraph): what it does, and where it fits.
        source: the paper, page or library it comes from.
        parameters: what a person may set, in the order a form shows it.
    """

    name: str
    title: str
    help: str
    source: str
    parameters: tuple[Parameter, ...] = ()


E = TypeVar("E", bound=Entry)


def look_up(catalogue: Mapping[str, E], name: str, where: str, noun: str) -> E:
    """The entry called ``name``, or a `SpecError` that says which names there are."""
    if name not in catalogue:
        values = {"noun": noun, "name": name, "known": list(catalogue)}
        raise SpecError(where, f"there is {no_such(noun, name, catalogue)}", "unknown_name", values)
    return catalogue[name]


def title_of(catalogue: Mapping[str, Entry], name: str) -> str:
    """What to call an entry of a spec that is read back from the store: a later version of Augury may have
    no such entry any more, and then it goes by its name."""
    return catalogue[name].title if name in catalogue else name


def completed_params(entry: Entry, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """``given``, checked against the entry's bounds and with its defaults filled in, in form order."""
    known = {parameter.name: parameter for parameter in entry.parameters}
    for name in given:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise SpecError(
                f"{where}.{name}",
                f"{entry.name} has no such parameter; {has}.",
                "unknown_field",
                {"entry": entry.name, "name": name, "known": list(known)},
            )
    return {
        name: parameter.check(given.get(name, parameter.default), f"{where}.{name}")
        for name, parameter in known.items()
    }


def imported(path: str) -> Any:
    """What ``module:name`` names, e.g. ``torch.optim:AdamW``. An entry holds such a path, so that a catalogue
    can be read where torch is not loaded; paths are written in the code and never come from outside."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def as_json(entry: Entry) -> dict[str, Any]:
    """The entry as plain JSON values, each parameter with its kind; what can't be JSON is left out."""
    described: dict[str, Any] = {
        key: value
        for key, value in asdict(entry).items()
        if isinstance(value, str | int | float | bool | tuple | None) and key != "parameters"
    }
    described["parameters"] = [
        {"kind": type(parameter).__name__.lower(), **asdict(parameter)} for parameter in entry.parameters
    ]
    return described


def _number(value: Any, bound: Number | Range | Integers, where: str) -> float | int:
    """``value`` as a number inside ``bound``'s limits, whole if the bound asks for whole numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _wrong_type(where, value, "a number")
    bounds = {"low": bound.low, "high": bound.high, "unit": bound.unit}
    if abs(value) > MOST:  # infinite, or a whole number that no float holds
        what = f"the number is beyond {MOST:g}, and {bound.low:g} to {bound.high:g} is allowed."
        raise SpecError(where, what, "too_large" if value > 0 else "too_small", bounds)
    unit, bounds = f" {bound.unit}" if bound.unit else "", {"value": value, **bounds}
    if value < bound.low:
        what = f"{value:g} is below the smallest allowed, {bound.low:g}{unit}."
        raise SpecError(where, what, "too_small", bounds)
    if value > bound.high:
        what = f"{value:g} is above the largest allowed, {bound.high:g}{unit}."
        raise SpecError(where, what, "too_large", bounds)
    if not bound.integer:
        return float(value)
    if value != int(value):
        raise _wrong_type(where, value, "a whole number", f"{value:g}")
    return int(value)


def _wrong_type(where: str, value: Any, expected: str, shown: str = "") -> SpecError:
    shown = shown or repr(value)
    return SpecError(
        where, f"{shown} is not {expected}.", "wrong_type", {"value": shown, "expected": expected}
    )
