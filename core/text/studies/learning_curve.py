"""How many images, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.shares import percent


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    said = []
    for curve in result.get("curves", ()):
        points = [point for point in curve["points"] if point["n"] > 1]
        if len(points) < 2:
            continue
        name = f"{curve['variant'][:1].upper()}{curve['variant'][1:]}: " if curve["variant"] else ""
        before, last = points[-2], points[-1]
        gained = last["mean"] - before["mean"]
        said.append(
            f"{name}**{last['images']:,} images give {percent(last['mean'])}** "
            f"({100 * last['low']:.1f} to {100 * min(1.0, last['high']):.1f} % for the mean, n = "
            f"{last['n']} seeds)."
        )
        if last["low"] > before["high"]:
            said.append(
                f"From {before['images']:,} to {last['images']:,} images it still gains {100 * gained:.1f} "
                "points: more images are likely to help."
            )
        else:
            said.append(
                f"From {before['images']:,} to {last['images']:,} images the gain is {100 * gained:+.1f} "
                f"points, no more than the seeds' noise with n = {last['n']}."
            )
    curves = [curve for curve in result.get("curves", ()) if curve["points"]]
    if len(curves) == 2:
        said += _against(*curves)
    return [each.replace("-", "−") if "points" in each and "+-" in each else each for each in said]


def _against(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    theirs = {point["images"]: point for point in other["points"]}
    both = [(point, theirs[point["images"]]) for point in one["points"] if point["images"] in theirs]
    if not both:
        return []
    apart = [(point["images"], point["mean"] - match["mean"]) for point, match in both]
    most = max(apart, key=lambda pair: abs(pair[1]))
    word = "more" if most[1] > 0 else "less"
    return [
        f"The two differ most at {most[0]:,} images: {100 * abs(most[1]):.1f} points {word} {one['variant']}."
    ]
