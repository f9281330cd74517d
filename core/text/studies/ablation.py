"""Does it help, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.studies.early import early

STRONGEST = 3  # interactions that are told


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    if not result:
        return []
    said = [effect_in_words(each, result["figure"]) for each in result["effects"]]
    told = [each for each in result["interactions"] if each["is_told"]]
    strongest = sorted(told, key=lambda each: -abs(each["mean"]))[:STRONGEST]
    said += [_interaction(each, result["figure"]) for each in strongest]
    if result["interactions"] and not told:
        said.append(
            f"No two of them work better, or worse, together than can be told with n = {result['seeds']}."
        )
    count = len(result["effects"]) + len(result["interactions"])
    how = f", wide enough that all {count} are right together in 95 of 100 studies" if count > 1 else ""
    said.append(f"Intervals are at 95 %{how}; n is the number of seeds, paired.")
    return said + early(result)


def effect_in_words(effect: Mapping[str, Any], figure: str) -> str:
    """E.g. ``**Dropout** helps by 0.9 ± 0.3 points (n = 8).``"""
    name, n, mean = f"**{_bold(effect['name'])}**", effect["n"], effect["mean"]
    if effect["low"] is None:
        size = _signed(mean, None, figure) if mean else "nothing"
        return (
            f"{name}: it adds {size} with each of n = {n} seeds; equal differences don't tell how far chance "
            "moves them: try more seeds."
        )
    half = (effect["high"] - effect["low"]) / 2
    if not effect["is_told"]:
        more = effect["needed"]
        advice = (
            f"about {max(1, more - n):,} more would be needed if it is as it seems"
            if more
            else "if it does anything, it is too little to be told with a thousand seeds"
        )
        size = _signed(mean, half, figure)
        return f"{name}: no effect that can be told with n = {n} ({size}); {advice}."
    good = (mean > 0) != (figure == "loss")
    verb = {"zeros": "raises exact zeros" if mean > 0 else "lowers exact zeros"}.get(
        figure, "helps" if good else "harms"
    )
    what = " of loss" if figure == "loss" else ""
    return f"{name} {verb} by {_size(abs(mean), half, figure)}{what} (n = {n})."


def _interaction(effect: Mapping[str, Any], figure: str) -> str:
    half = (effect["high"] - effect["low"]) / 2
    both = " and ".join(f"**{_bold(name)}**" for name in effect["names"])
    good = (effect["mean"] > 0) != (figure == "loss")
    together = "add to each other" if good else "take from each other"
    return (
        f"{both} {together}: each does {_size(2 * abs(effect['mean']), 2 * half, figure)} "
        f"{'more' if good else 'less'} where the other is on (n = {effect['n']})."
    )


def _bold(name: str) -> str:
    return " ".join(name.split())


def _size(mean: float, half: float | None, figure: str) -> str:
    """``half``: of the interval; None: it is not known."""
    if figure == "loss":
        return f"{mean:.3f}" + (f" ± {half:.3f}" if half is not None else "")
    return f"{100 * mean:.1f}" + (f" ± {100 * half:.1f} points" if half is not None else " points")


def _signed(mean: float, half: float | None, figure: str) -> str:
    sign = "+" if mean >= 0 else "−"
    return f"{sign}{_size(abs(mean), half, figure)}"
