"""What each step of a recipe costs, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer so far; empty: nothing is known yet."""
    rows = result.get("rows", [])
    said = [_together(rows[0], rows[-1])] if len(rows) > 1 else []
    said += [_step(row, before) for row, before in zip(rows, [None, *rows], strict=False)]
    if len(rows) > 1:
        said.append(
            "Bytes are those of the smallest file that holds the network exactly; times are forward, "
            "measured in turns with the step before."
        )
    return said


def _step(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    accuracy = f"{100 * row['accuracy']:.1f} %"
    if row.get("low") is not None:
        accuracy += f" ({100 * row['low']:.1f} to {100 * row['high']:.1f}, {_n(row)})"
    parts = [accuracy]
    if (change := row.get("change")) is not None:
        parts.append(f"{_signed(change, row)} by this step")
    if before is not None and row["bytes"] is not None and before["bytes"]:
        parts.append(f"{before['bytes'] / 1000:,.1f} to {row['bytes'] / 1000:,.1f} kB")
    if row.get("times") is not None:
        parts.append(f"× {row['times']:.2f} the time")
    return f"**{row['said']}**: {'; '.join(parts)}."


def _signed(change: float, row: Mapping[str, Any]) -> str:
    sign = "+" if change >= 0 else "−"
    half = ""
    if row.get("change_low") is not None:
        half = f" ± {50 * (row['change_high'] - row['change_low']):.1f}"
    return f"{sign}{100 * abs(change):.1f}{half} points"


def _n(row: Mapping[str, Any]) -> str:
    return f"n = {row['n']} seeds" if row["n"] > 1 else f"n = {row['images']:,} images"


def _together(first: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    apart = 100 * (last["accuracy"] - first["accuracy"])
    said = f"**All together**: {'+' if apart >= 0 else '−'}{abs(apart):.1f} points of accuracy"
    if first["bytes"] and last["bytes"]:
        said += f", a file {first['bytes'] / last['bytes']:.1f} times smaller"
    if first["multiply_adds"] and last["multiply_adds"]:
        said += f", {last['multiply_adds'] / first['multiply_adds']:.0%} of the multiply-adds"
    return f"{said}."
