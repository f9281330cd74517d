"""Which of many, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.shares import counted, percent
from core.text.studies.early import all_folds, early, last_run

WIDE_THEN_NARROW = (
    "At the left every setting gets a little: exploration. To the right the few that lead get the rest: "
    "exploitation. Who begins slowly is lost early."
)


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    if not result:
        return []
    spent, full = result["epochs_spent"], result["epochs_of_full_search"]
    share = f"{spent:,} of the {full:,} epochs that a full search would take ({percent(spent / full)})"
    winner = result.get("winner")
    rungs = len(result["epochs_planned"])
    how = [WIDE_THEN_NARROW] if rungs > 1 else []
    if winner is None and result["complete"]:
        return ["Every setting failed: try smaller learning rates, or weaker regularisers."]
    if winner is None or not result["complete"]:
        lead = f" Setting {winner['setting']} leads." if winner else ""
        return [f"So far {share}.{lead}", *how]
    values = result["winner_in_words"]
    n = f" ({counted(result['accuracy'], result['images'])})" if result["images"] else ""
    said = [
        f"**The winner is setting {winner['setting']}**: {values}. It answers {percent(result['accuracy'])} "
        f"of the images right that chose it{n}.",
        f"It took {share}.",
        f"That figure is too good: it is the best of {result['looks']} looks at the same images.",
    ]
    if test := result.get("test"):
        n = f" ({counted(test['accuracy'], test['images'])})" if test["images"] else ""
        said.append(
            f"Trained again{last_run(test)} on {all_folds(result)} it answers {percent(test['accuracy'])} of "
            f"images right that nothing chose by{n}: this is the figure to quote."
        )
    return said + early(result)
