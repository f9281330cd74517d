"""Runs as points: how sparse each became, and how accurate it stayed; those on the same images together."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.catalogue import title_of
from core.figures.runs import RunPoint, front, in_sight, out_of_sight, sparsity_and_accuracy
from core.jobs.views import RunView
from core.models.catalogue import ARCHITECTURES
from core.run.figures import result_of
from core.run.spec import DataSpec
from core.store.find import MOST_SHOWN, Query
from core.store.store import StoredRun, is_run_id
from core.text.describe import data_in_words, in_words, title
from core.text.escape import plain
from core.text.shares import percent
from pages.components.live_chart import live_chart
from pages.features.frame.setup import jobs
from pages.features.runs.opening import open_run

MOST_RUNS = 600
RUNS_SECONDS = 5  # how often the runs are read again
FRONT_LINKS = 6
HEIGHT = 420  # pixels
BESIDE = "beside"  # in an address: the run that is ringed

Kept = dict[
    str, tuple[str, list[RunPoint]]
]  # by what decides the images: what these are called, and the runs


def plane(query: Query, listed: Sequence[StoredRun], total: int) -> None:
    """Draw those of a query that have finished; ``listed`` are the first of its ``total`` runs."""
    ringed = ringed_run()
    kept = _points(query, (total, *((run.id, run.state) for run in listed)))
    if not kept:
        st.info(
            "None of these runs has finished yet; the first will be a point here.", icon=":material/info:"
        )
        return
    points = kept[_chosen(kept, ringed)][1]
    shown = ringed.id if ringed else ""
    ring = "the ringed one is the run you came from. " if any(each.id == shown for each in points) else ""
    st.caption(
        f"Each finished run with the weights that were saved of it; {ring}No run beats those on the green "
        "front in both. Click a point to open its run."
    )
    live_chart(
        json.dumps(sparsity_and_accuracy(points, shown)),
        key="runs",
        height=HEIGHT,
        alt=f"{len(points)} runs: validation accuracy against exact zeros, with the Pareto front.",
        on_pick=open_run,
    )
    if below := out_of_sight(points):
        st.caption(f"{below} of {len(points)} lie lower: double-click the chart to see all.")
    _front(points, shown)


def ringed_run() -> RunView | None:
    """The run that the address names."""
    asked = st.query_params.get(BESIDE, "")
    return jobs().view(asked) if is_run_id(asked) else None


def _front(points: Sequence[RunPoint], shown: str) -> None:
    with st.container(horizontal=True):
        st.markdown("On the front:", width="content")
        for point in front(in_sight(points))[-FRONT_LINKS:]:
            st.page_link(
                "pages/2_Train.py",
                label=plain(f"{point.name} ({percent(point.accuracy)}, {percent(point.exact)} zeros)"),
                query_params={"run": point.id},
                help=plain(f"{point.figures}; {point.words}"),
                disabled=point.id == shown,
            )


def _chosen(kept: Kept, ringed: RunView | None) -> str:
    """Of which images; at first those of the run that is ringed, or else those of the most runs."""
    most = max(kept, key=lambda each: len(kept[each][1]))
    own = _images(ringed.spec.data) if ringed else most
    if len(kept) == 1:
        return most
    return st.selectbox(
        "Runs on the same images",
        list(kept),
        list(kept).index(own if own in kept else most),
        format_func=lambda each: kept[each][0],
        key=f"runs.plane.{own}",
        width=320,
    )


def _images(spec: DataSpec) -> str:
    """What decides on which images a run is judged: all but how many it learns from."""
    return spec.model_copy(update={"train_images": None, "split_seed": None}).model_dump_json()


@st.cache_data(ttl=RUNS_SECONDS, max_entries=8, show_spinner=False)
def _points(query: Query, listed: tuple[Hashable, ...]) -> Kept:
    """Of the finished runs of a query, by their images. Another ``listed`` reads them anew, so that a run is
    among them as soon as it has ended."""
    found: Kept = {}
    for run in _finished(query):
        kept = (
            f"{data_in_words(run.spec.data)}, {percent(run.spec.data.validation_share)} kept for validation"
        )
        found.setdefault(_images(run.spec.data), (kept, []))[1].append(_point(run))
    return {images: (f"{kept} ({len(points):,})", points) for images, (kept, points) in found.items()}


def _finished(query: Query) -> list[StoredRun]:
    if query.state not in ("", "finished"):
        return []
    wanted = query._replace(state="finished")
    pages = (jobs().find(wanted, MOST_SHOWN, start)[0] for start in range(0, MOST_RUNS, MOST_SHOWN))
    return [run for page in pages for run in page if run.summary]


def _point(run: StoredRun) -> RunPoint:
    summary: Mapping[str, Any] = run.summary or {}
    result = result_of(summary)
    return RunPoint(
        id=run.id,
        name=title(run.spec),
        words=in_words(run.spec) + (" · imported" if run.imported_at else ""),
        arch=title_of(ARCHITECTURES, run.spec.model.arch),
        accuracy=result["validation_accuracy"],
        exact=result["sparsity"]["exact"],
        images=summary.get("validation_images"),
        weights=result["sparsity"]["weights"],
    )
