"""Runs that differ in their seeds alone, seen from one of them: how far apart they are."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView
from core.measure.band import Band, band
from core.measure.mean import mean_interval
from core.study.repeats import but_seeds, drawn, repeated_in
from core.text.describe import title
from core.text.escape import plain
from core.text.seeds import DRAWS, seeds_in_words, with_split
from core.text.shares import in_full, percent
from pages.features.frame.setup import jobs
from pages.features.live.chance_table import repeated_link

LOOKED_THROUGH = 100  # runs, for those of the group
_HOW = "The interval is Student's t over the seeds: where the mean of very many seeds lies."


def seeds_of(view: RunView) -> list[RunView]:
    """All runs of the view's group that differ in their seeds alone, and the run that they repeat, by their
    seeds; none if it is in no group."""
    if view.group is None:
        return []
    repeated = repeated_in(view.group)
    ids = {run.id for run in jobs().recent(LOOKED_THROUGH) if run.group == view.group}
    views = [found for each in {*ids, *(repeated or ())[:1]} if (found := jobs().view(each))]
    alike = [each for each in views if but_seeds(each.spec) == but_seeds(view.spec)]
    return sorted(alike, key=lambda each: drawn(each.spec)) if len(alike) > 1 else []


def accuracy_band(views: list[RunView]) -> Band:
    """The lowest and highest validation accuracy of these runs after each epoch that at least two have."""
    return band([{e["epoch"]: e["validation_accuracy"] for e in view.history.epochs} for view in views])


def group_line(view: RunView, views: list[RunView]) -> None:
    """The runs' results in a sentence, and a link to each."""
    if not views:
        return
    results = [each.history.result["validation_accuracy"] for each in views if each.history.result]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not view.ended:  # beneath one that has ended stands the table
            repeated_link(view)
        images = view.history.validation_images
        judged = f" Each is judged on {images:,} validation images." if images else ""
        repeated = repeated_in(view.group)
        what = f" of the {DRAWS[repeated[1]]}" if repeated and repeated[1] != "all" else ""
        st.markdown(_in_words(results, len(views), what), width="content", help=plain(_HOW + judged))
        for each in views:
            result = each.history.result
            reached = f": {percent(result['validation_accuracy'])}" if result else ""
            told = with_split if repeated and repeated[1] == "split" else seeds_in_words
            label = plain(f"{told(each.spec)}{reached}")
            st.page_link(
                "pages/2_Train.py",
                label=f"**▸ {label}**" if each.id == view.id else label,
                query_params={"run": each.id},
                help=plain(f"{title(each.spec)}, {each.state}{_judged(each)}"),
            )


def _in_words(results: list[float], of: int, what: str) -> str:
    """E.g. ``**3 seeds**: validation accuracy 96.1 % on average (95 %: 95.1 to 97.1):``, with Student's
    interval over the seeds; ``what`` they are of, if not all, follows their number."""
    if not results:
        return f"**{of} seeds**{what}, of which none has ended an epoch."
    mean, sure = 100 * results[0], ""
    if len(results) > 1:
        mean, low, high = mean_interval([100 * each for each in results])
        sure = f" (95 %: {max(low, 0):.1f} to {min(high, 100):.1f})"
    so_far = "" if len(results) == of else f" so far, {len(results)} of them,"
    return f"**{of} seeds**{what}:{so_far} validation accuracy {mean:.1f} % on average{sure}:"


def _judged(view: RunView) -> str:
    result = view.history.result
    return f", {in_full(result['validation_accuracy'], view.history.validation_images)}" if result else ""
