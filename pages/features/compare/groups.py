"""Compared runs with all their repeats: bands, means with their spread, and whether two groups differ."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import streamlit as st

from core.figures.overlay import Group, overlay_groups
from core.measure.mean import MeanDifference, paired_difference, welch_difference
from core.run.spec import RunSpec
from core.store.store import MAX_RUNS
from core.study.repeats import Varied, but_seeds, pairs
from core.text import compare
from core.text.escape import plain
from core.text.repeats import group_beside, lowest_and_highest, mean_and_spread, mean_in_words
from core.text.seeds import DRAWS, seeds_in_words, with_split
from core.text.shares import in_full, percent
from pages.features.compare.compared import Compared
from pages.features.compare.overview import curves_part, differences_part
from pages.features.compare.repeats import Repeat, curve_of, repeats_of, the_group


class Repeated(NamedTuple):
    """A compared run with those that repeat it, itself among them; where it is alone, there are none.

    Args:
        varied: what the seeds of these draw anew; None: it is alone.
    """

    run: Compared
    varied: Varied | None
    runs: list[Repeat]

    @property
    def shares(self) -> list[float]:
        return [each.accuracy for each in self.runs]


def groups_of(runs: Sequence[Compared]) -> list[Repeated]:
    """A group a run; one that is in the group of a run before it is not shown twice, but keeps its colour."""
    found: list[Repeated] = []
    for run in runs:
        if any(run.view.id == each.id for group in found for each in group.runs):
            continue
        kind, repeats = the_group(repeats_of(run.view)) or (None, [])
        found.append(Repeated(run, kind, repeats))
    return found


def groups_part(runs: Sequence[Compared], groups: Sequence[Repeated]) -> None:
    """In place of the overview."""
    drawn = [
        Group(_called(group), [curve_of(each) for each in group.runs] or [group.run.view.history.epochs])
        for group in groups
    ]
    colours = [group.run.colour for group in groups]
    st.caption(
        "Lines are medians, areas the middle half of the runs, from the lower to the upper quartile. Repeats "
        f"are looked for among the newest {MAX_RUNS} runs."
    )
    curves_part(
        lambda name, by, smoothing: overlay_groups(drawn, name, by, smoothing, colours),
        [run.view for run in runs],
        f"{len(groups)} groups of runs",
    )
    _results(groups)
    differences_part([group.run for group in groups])


def _called(group: Repeated) -> str:
    return f"{group.run.name} ({len(group.runs)} runs)" if group.varied else group.run.name


def _results(groups: Sequence[Repeated]) -> None:
    st.markdown("**What they came to**")
    rows = [
        {
            "run": group.run.name,
            "varies": DRAWS[group.varied] if group.varied else "nothing: one run",
            "validation accuracy": mean_and_spread(group.shares) if group.runs else _alone(group),
            "95 % of the mean": mean_in_words(group.shares),
            "lowest to highest (%)": lowest_and_highest(group.shares) if group.varied else "",
            "judged on": _judged_on(group),
            "exact zeros": _zeros(group),
        }
        for group in groups
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="compare.groups")
    st.caption(
        "Mean ± standard deviation of the runs, with how many they are. The interval is Student's t: the "
        "mean of very many seeds lies there."
    )
    with st.container(horizontal=True):
        for group in groups:
            _each(group)
    first, *others = groups
    for other in others:
        _beside(other, first)


def _alone(group: Repeated) -> str:
    view = group.run.view
    result = view.history.result
    if result is None:
        return "no epoch has ended"
    return f"{in_full(result['validation_accuracy'], view.history.validation_images)}, {view.state}"


def _zeros(group: Repeated) -> str:
    """Of a group the mean."""
    results = [each.result for each in group.runs] or [
        result for result in (group.run.view.history.result,) if result
    ]
    return percent(statistics.fmean(each["sparsity"]["exact"] for each in results)) if results else ""


def _judged_on(group: Repeated) -> str:
    images = group.run.view.history.validation_images
    many = f"{images:,} images" if images else "not kept"
    return f"{many}, others each time" if group.varied == "split" else many


def _each(group: Repeated) -> None:
    """Every run of it, to be opened."""
    if not group.varied:
        return
    with st.popover(
        plain(f"{group.run.name}: {len(group.runs)} runs"), icon=":material/format_list_bulleted:"
    ):
        tell = with_split if group.varied == "split" else seeds_in_words
        for each in group.runs:
            st.page_link(
                "pages/2_Train.py",
                label=plain(f"{tell(each.spec)}: {percent(each.accuracy)}"),
                query_params={"run": each.id},
            )


def _beside(ours: Repeated, theirs: Repeated) -> None:
    """Whether two groups differ by more than their seeds do, or why that can't be said."""
    names = f"“{ours.run.name}” and “{theirs.run.name}”"
    if len(ours.runs) < 2 or len(theirs.runs) < 2:
        st.caption(plain(f"{names}: at least two seeds of each are needed to tell them from chance."))
        return
    if but_seeds(ours.run.view.spec) == but_seeds(theirs.run.view.spec):
        st.caption(plain(f"{names} have the same settings: chance is all that sets them apart."))
        return
    found = _difference(ours, theirs)
    if found is None:
        st.caption(
            plain(f"{names} were judged on different validation images: their means are not compared.")
        )
        return
    sentence, how = group_beside(found, ours.run.name, theirs.run.name, len(ours.runs), len(theirs.runs))
    st.markdown(plain(sentence), help=plain(how))
    if ours.varied != theirs.varied:
        st.caption("Not the same varies in both, so that their spreads are of different kinds.")


def _difference(ours: Repeated, theirs: Repeated) -> MeanDifference | None:
    """Paired by seed if each run of the smaller group has its pair; else of the two means. None: the exams
    differ otherwise than by chance."""
    one, other = ours.run.view.spec, theirs.run.view.spec
    if not compare.judged_alike(_at_split_0(one), _at_split_0(other)):
        return None
    splits = [group.varied == "split" for group in (ours, theirs)]
    if any(splits) and not all(splits):
        return None  # one mean is of one exam, the other of many
    if not any(splits) and one.split_seed != other.split_seed:
        return None
    together = pairs(ours.runs, theirs.runs)
    if len(together) > 1 and len(together) == min(len(ours.runs), len(theirs.runs)):
        return paired_difference(*zip(*((a.accuracy, b.accuracy) for a, b in together), strict=True))
    return welch_difference(ours.shares, theirs.shares)


def _at_split_0(spec: RunSpec) -> RunSpec:
    return spec.model_copy(update={"data": spec.data.model_copy(update={"split_seed": 0})})
