"""Does a teacher help, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.studies.ablation import effect_in_words
from core.text.studies.early import early


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    if not result:
        return []
    effects = result["effects"]
    said = [effect_in_words(each, "accuracy") for each in effects]
    if effects and not effects[0]["is_told"]:
        said.append(
            "A gain that can't be told is a finding, too: where images are easy the labels may say it all."
        )
    said += [_row(each) for each in result["rows"]]
    said += [_calibration(each) for each in result["calibration"]]
    said.append(
        "Effects are against the student alone, seed by seed, ± half of a 95 % interval, wide enough that "
        "both are right together in 95 of 100 studies. The calibration error is the mean distance between "
        "how sure a network is and how often it is right, in 15 bins."
    )
    return said + early(result)


def _row(row: Mapping[str, Any]) -> str:
    spread, how = "", ""
    if row["sd"] is not None:
        spread, how = f" ± {100 * row['sd']:.1f}", "mean ± standard deviation, "
    who = f"{row['who'][:1].upper()}{row['who'][1:]}"
    said = f"**{who}**: {100 * row['mean']:.1f}{spread} % ({how}n = {row['n']}"
    said += f", {row['parameters']:,} numbers)" if row["parameters"] else ")"
    if row["calibration_error"] is not None:
        said += f", calibration error {row['calibration_error']:.3f}"
    return f"{said}."


def _calibration(effect: Mapping[str, Any]) -> str:
    name, mean = f"{effect['name'][:1].upper()}{effect['name'][1:]}", effect["mean"]
    if effect["low"] is None:
        return f"{name} changes the calibration error by {mean:+.3f} with each seed."
    half = (effect["high"] - effect["low"]) / 2
    what = "raises" if mean > 0 else "lowers"
    if not effect["is_told"]:
        return f"{name} changes the calibration error by no more than can be told ({mean:+.3f} ± {half:.3f})."
    return f"{name} {what} the calibration error by {abs(mean):.3f} ± {half:.3f} (n = {effect['n']})."
