"""How many images, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.shares import percent
from core.text.studies.early import early


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    said = []
    for curve in result.get("curves", ()):
        points = [point for point in curve["points"] if point["n"] > 1]
        if len(points) < 2:
            continue
        name = f"{curve['variant'][:1].upper()}{curve['variant'][1:]}: " if curve["variant"] else ""
        last = points[-1]
        said.append(
            f"{name}**{last['images']:,} images give {percent(last['mean'])}** "
            f"({100 * last['low']:.1f} to {100 * min(1.0, last['high']):.1f} % for the mean, n = "
            f"{last['n']} seeds)."
        )
        if gain := curve.get("gain"):
            said.append(_gain(gain))
    return said + _apart(result) + early(result)


def _gain(gain: Mapping[str, Any]) -> str:
    span = f"From {gain['from']:,} to {gain['to']:,} images"
    if not gain["is_told"]:
        return f"{span} it changes by {_points(gain)}, no more than chance may."
    if gain["mean"] > 0:
        return f"{span} it still gains {_points(gain)}: more images are likely to help."
    return (
        f"{span} it loses {_points(gain)}: what is new in them does not fit to the others, or to validation."
    )


def _apart(result: Mapping[str, Any]) -> list[str]:
    """Where the two curves differ, at the fewest and at the most images: not where they happen to most."""
    apart = result.get("apart", [])
    said = []
    for each in apart[:1] + apart[1:][-1:]:
        at, name = f"With {each['images']:,} images", result["switch"]
        if each["is_told"]:
            said.append(f"{at} {name} {'adds' if each['mean'] > 0 else 'takes'} {_points(each)}.")
        else:
            said.append(f"{at} {name} changes it by {_points(each)}, no more than chance may.")
    return said


def _points(found: Mapping[str, Any]) -> str:
    """E.g. ``+0.9 points (0.2 to 1.6, n = 5 pairs)``; without a sign where the words have it."""
    mean = 100 * found["mean"]
    sign = ("+" if mean >= 0 else "−") if not found["is_told"] else ""
    ends = f"{_number(100 * found['low'])} to {_number(100 * found['high'])}, " if "low" in found else ""
    return f"{sign}{abs(mean):.1f} points ({ends}n = {found['n']} pairs)"


def _number(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
