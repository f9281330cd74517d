"""Which of many, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.shares import counted, percent


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    if not result:
        return []
    spent, full = result["epochs_spent"], result["epochs_of_full_search"]
    share = f"{spent:,} of the {full:,} epochs that a full search would take ({percent(spent / full)})"
    winner = result.get("winner")
    if winner is None and result["complete"]:
        return ["Every setting failed: try smaller learning rates, or weaker regularisers."]
    if winner is None or not result["complete"]:
        lead = f" Setting {winner['setting']} leads." if winner else ""
        return [f"So far {share}.{lead}"]
    values = result["winner_in_words"]
    n = f" ({counted(result['accuracy'], result['images'])})" if result["images"] else ""
    said = [
        f"**The winner is setting {winner['setting']}**: {values}. It answers {percent(result['accuracy'])} "
        "of the "
        f"images right that chose it{n}.",
        f"It took {share}.",
        f"That figure is too good: it is the best of {result['looks']} looks at the same images.",
    ]
    if test := result.get("test"):
        n = f" ({counted(test['accuracy'], test['images'])})" if test["images"] else ""
        said.append(
            f"Trained again on all training images it answers {percent(test['accuracy'])} of images right "
            "that "
            f"nothing chose by{n}: this is the figure to quote."
        )
    return said
