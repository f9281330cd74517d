"""What each kind of chance does to a run: its repeats side by side, each kind a row that fills while they
train.

"Is it the split or the start?" is answered by two rows: in one the split alone varies, in the other what the
network begins with. The table stands on the page of the run that was repeated, and on that of each repeat.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.jobs.views import RunView
from core.store.store import MAX_RUNS, StoredRun
from core.study.repeats import VARIED, Varied, differ_in, repeated_in
from core.text.describe import title
from core.text.escape import plain
from core.text.repeats import exam_alone, lowest_and_highest, mean_and_spread, which_moves_more
from core.text.seeds import DRAWS
from pages.features.compare.repeats import Repeat, repeats_of
from pages.features.frame.setup import jobs

REFRESH_SECONDS = 2.0
_MOST_COMPARED = 8  # as many as a comparison takes
_GOING = ("running", "paused", "queued")

Found = Mapping[Varied, Sequence[Repeat]]
Coming = Mapping[Varied, Sequence[StoredRun]]


def chance_table(view: RunView) -> None:
    """Draw it, if the run was repeated at all or is a repeat; kept up to date while some of them train."""
    of = repeated_run(view) or view
    coming = _coming(of)
    if coming or repeats_of(of):
        st.fragment(_table, run_every=REFRESH_SECONDS if coming else None)(of.id, view.id, bool(coming))


def repeated_run(view: RunView) -> RunView | None:
    """The finished run that this one repeats, if it was started as a repeat."""
    repeated = repeated_in(view.group)
    of = jobs().view(repeated[0]) if repeated else None
    return of if of is not None and of.id != view.id and of.state == "finished" else None


def repeated_link(view: RunView) -> None:
    """The way back to the run that this one repeats, where all its repeats stand side by side."""
    if of := repeated_run(view):
        st.page_link(
            "pages/2_Train.py",
            label=f"All repeats of {plain(title(of.spec))}",
            icon=":material/arrow_upward:",
            query_params={"run": of.id},
        )


def _table(run_id: str, shown: str, goes_on: bool) -> None:
    of = jobs().view(run_id)
    if of is None:
        return
    found, coming = repeats_of(of), _coming(of)
    if goes_on and not coming:
        st.rerun()  # the whole page, which asks no more
    whose = "here" if shown == run_id else f"to “{plain(title(of.spec))}”"
    st.markdown(f"**What chance does {whose}**", help=plain(_how(of, found)))
    rows = [
        _row(kind, found.get(kind, ()), coming.get(kind, ())) for kind in VARIED if kind in {*found, *coming}
    ]
    table = pd.DataFrame(rows)
    st.dataframe(
        table if coming else table.drop(columns="to come"), hide_index=True, width="content", key="chance"
    )
    if said := which_moves_more({kind: [run.accuracy for run in runs] for kind, runs in found.items()}):
        st.markdown(plain(said))
    _links(of, shown, found, coming)


def _row(kind: Varied, runs: Sequence[Repeat], coming: Sequence[StoredRun]) -> dict[str, str | float | None]:
    shares = [run.accuracy for run in runs]
    return {
        "only this varies": DRAWS[kind],
        "validation accuracy": mean_and_spread(shares) if shares else "",
        "standard deviation (points)": f"{100 * statistics.stdev(shares):.2f}" if len(shares) > 1 else "",
        "lowest to highest (%)": lowest_and_highest(shares) if shares else "",
        "to come": f"{len(coming)} runs" if len(coming) > 1 else "1 run" if coming else "",
    }


def _links(of: RunView, shown: str, found: Found, coming: Coming) -> None:
    with st.container(horizontal=True):
        if shown != of.id:
            st.page_link(
                "pages/2_Train.py",
                label="To the run that was repeated",
                icon=":material/arrow_upward:",
                query_params={"run": of.id},
            )
        now = next((run for runs in coming.values() for run in runs if run.state == "running"), None)
        if now is not None and now.id != shown:
            st.page_link(
                "pages/2_Train.py",
                label="Watch the one that trains",
                icon=":material/monitoring:",
                query_params={"run": now.id},
            )
        for kind, runs in found.items():
            ids = [of.id, *(run.id for run in runs if run.id != of.id)][:_MOST_COMPARED]
            st.page_link(
                "pages/3_Runs.py",
                label=plain(f"Compare: {DRAWS[kind]}"),
                icon=":material/stacked_line_chart:",
                query_params={"runs": ",".join(ids)},
            )


def _coming(of: RunView) -> dict[Varied, list[StoredRun]]:
    """By what varies, the repeats that train or wait."""
    found: dict[Varied, list[StoredRun]] = {}
    for run in jobs().recent(MAX_RUNS):
        if run.state in _GOING and (kind := differ_in(run.spec, of.spec)):
            found.setdefault(kind, []).append(run)
    return found


def _how(view: RunView, found: Found) -> str:
    said = (
        "Mean ± standard deviation of the runs, this one among them, that differ from it in this alone; n is "
        f"how many they are. They are looked for among the newest {MAX_RUNS} runs."
    )
    result, images = view.history.result, view.history.validation_images
    if "split" in found and result and images:
        alone = 100 * exam_alone(result["validation_accuracy"], images)
        said += (
            f" Another split is another exam: which {images:,} images are asked moves the accuracy by "
            f"{alone:.2f} points (standard deviation), even of one and the same network."
        )
    return said
