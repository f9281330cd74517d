"""What a regulariser that does not act in every step did, in a sentence."""

from __future__ import annotations

from core.catalogue import title_of
from core.regularise.catalogue import REGULARISERS
from core.run.history import History


def acted_in_words(history: History) -> list[str]:
    """Of the last epoch, e.g. ``Gradient clipping (by norm) acted in 34 % of the last epoch's 25 steps.``;
    of a run without such a regulariser, or before its first epoch has ended, nothing."""
    if not history.epochs:
        return []
    last = history.epochs[-1]
    begun = (
        (history.started or {}).get("begins_at", 0) if len(history.epochs) < 2 else history.epochs[-2]["step"]
    )
    steps = last["step"] - begun
    return [
        f"{title_of(REGULARISERS, kind)} acted in {100 * share:.0f} % of the last epoch's {steps:,} steps."
        for kind, share in last.get("acted", {}).items()
    ]
