"""Widgets made from a catalogue's parameters: the bounds, units and help are the catalogue's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.catalogue import Choice, Flag, Integers, Number, Parameter, Range
from pages.features.editor.choice import key
from pages.features.editor.marks import framed

MOST_ON_A_SLIDER = 64  # whole numbers; more are typed


def fields(
    parameters: Sequence[Parameter],
    given: Mapping[str, Any],
    *place: str | int,
    path: str,
    on_change: Callable[[], None] | None = None,
) -> None:
    """One widget a parameter, starting from ``given`` or its default.

    Args:
        place: where the parameters belong; with a parameter's name it makes its widget's `key`.
        path: where they belong in the spec, see `core.run.changes`.
        on_change: called before the re-run that a change of any of them brings.
    """
    for parameter in parameters:
        with framed(f"{path}.{parameter.name}", title(parameter)):
            field(parameter, given.get(parameter.name, parameter.default), *place, on_change=on_change)


def said(parameters: Sequence[Parameter], given: Mapping[str, Any], *place: str | int) -> dict[str, Any]:
    """What the widgets that `fields` drew with this ``given`` and ``place`` say now, as JSON values; for a
    callback. What is not drawn stays as it was given."""
    values = {}
    for parameter in parameters:
        value = st.session_state.get(
            key(*place, parameter.name), given.get(parameter.name, parameter.default)
        )
        values[parameter.name] = (
            _whole_numbers(value) if isinstance(parameter, Integers) and isinstance(value, str) else value
        )
    return as_json(values)


def field(
    parameter: Parameter,
    value: Any,
    *place: str | int,
    on_change: Callable[[], None] | None = None,
    label: str = "",
    at: str = "",
) -> Any:
    """The widget that fits one parameter; returns what it shows.

    Args:
        label: instead of the parameter's own.
        at: its key, instead of one made of ``place``.
    """
    label, at = label or title(parameter), at or key(*place, parameter.name)
    match parameter:
        case Flag():
            return st.toggle(label, value, help=parameter.help, key=at, on_change=on_change)
        case Choice() if len(parameter.options) <= 4:
            return st.segmented_control(
                label,
                parameter.options,
                default=value,
                required=True,
                help=parameter.help,
                key=at,
                on_change=on_change,
            )
        case Choice():
            index = parameter.options.index(value)
            return st.selectbox(
                label, parameter.options, index, help=parameter.help, key=at, on_change=on_change
            )
        case Integers():
            return _integers(parameter, label, value, at, on_change)
        case Number(scale="log"):
            return log_dial(label, value, parameter.low, parameter.high, parameter.help, at, on_change)
        case Number(integer=True) if parameter.high - parameter.low > MOST_ON_A_SLIDER:
            return st.number_input(
                label,
                int(parameter.low),
                int(parameter.high),
                int(value),
                help=parameter.help,
                key=at,
                on_change=on_change,
            )
    return _slider(parameter, label, value, at, on_change)


def as_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Lists for tuples, as JSON has no tuples."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in params.items()}


def title(parameter: Parameter) -> str:
    """A parameter's name as a label, with its unit where the name does not say it."""
    words = parameter.name.replace("_", " ").capitalize()
    said = not parameter.unit or parameter.unit in words.lower().split()
    return words if said else f"{words} ({parameter.unit})"


def log_dial(
    label: str,
    value: float,
    low: float,
    high: float,
    help: str,
    at: str,
    on_change: Callable[[], None] | None = None,
) -> float:
    """A slider over 1, 2, 5 of every power of ten; a value between those is put in where it belongs."""
    grid = {
        float(f"{mantissa}e{exponent}")
        for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for mantissa in (1, 2, 5)
    }
    options = sorted({point for point in grid if low <= point <= high} | {value})
    return float(
        st.select_slider(
            label,
            options,
            value,
            format_func=lambda point: f"{point:g}",
            help=help,
            key=at,
            on_change=on_change,
        )
    )


def _slider(
    parameter: Number | Range, label: str, value: Any, at: str, on_change: Callable[[], None] | None
) -> Any:
    if parameter.integer:
        low, high, step = int(parameter.low), int(parameter.high), int(parameter.step or 1)
        value = tuple(int(item) for item in value) if isinstance(parameter, Range) else int(value)
        return st.slider(label, low, high, value, step, help=parameter.help, key=at, on_change=on_change)
    step_size = parameter.step or 10 ** math.floor(math.log10((parameter.high - parameter.low) / 100))
    decimals = max(0, -math.floor(math.log10(step_size)))
    value = tuple(map(float, value)) if isinstance(parameter, Range) else float(value)
    return st.slider(
        label,
        float(parameter.low),
        float(parameter.high),
        value,
        float(step_size),
        format=f"%.{decimals}f",
        help=parameter.help,
        key=at,
        on_change=on_change,
    )


def _integers(
    parameter: Integers,
    label: str,
    value: Sequence[int] | str,
    at: str,
    on_change: Callable[[], None] | None,
) -> str:
    """Whole numbers with commas."""
    shown = value if isinstance(value, str) else ", ".join(map(str, value))
    return st.text_input(label, shown, help=parameter.help, key=at, max_chars=60, on_change=on_change)


def _whole_numbers(text: str) -> list[int] | str:
    """What can't be read is returned as it stands: the check says so."""
    try:
        return [int(item) for item in text.split(",")] if text.strip() else []
    except ValueError:
        return text
