"""The list of runs: search, filter, sort by a column, choose some, and what to do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.catalogue import title_of
from core.data.catalogue import DATASETS
from core.jobs.rights import may_control
from core.models.catalogue import ARCHITECTURES
from core.regularise.catalogue import REGULARISERS
from core.run.figures import result_of
from core.run.spec import RunSpec
from core.store.store import MAX_NOTE, MAX_RUNS, MAX_TAGS, StoredRun
from core.text.describe import in_words, title
from core.text.differs import differences
from core.text.escape import plain
from core.text.shares import in_full
from pages.features.frame.asked import obeyed
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import asker, visitor
from pages.features.frame.when import when
from pages.features.runs.comparison import FEWEST, MOST, NAME
from pages.features.runs.editing import delete

HEIGHT, ROW = 460, 35  # pixels of the list, and of a line of it
ANY = "any"


def listing() -> None:
    """Draw it, with its filters."""
    runs = jobs().recent(MAX_RUNS)
    if not runs:
        st.info("No run yet. Start one, and it stands here.", icon=":material/model_training:")
        st.page_link("app.py", label="Choose a first experiment", icon=":material/home:")
        return
    found = _filtered(runs)
    actions = st.container(horizontal=True, vertical_alignment="center", key="runs_actions")
    said = f"{len(found):,} of the newest {len(runs):,}" if len(runs) == MAX_RUNS else f"{len(found):,} runs"
    if not found:
        st.info("No run is like this. Take a filter back.", icon=":material/filter_alt_off:")
        return
    picked = st.dataframe(
        _table(found),
        hide_index=True,
        width="stretch",
        height=min(HEIGHT, ROW * (len(found) + 1) + 2),
        key=_list_key(found),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "accuracy": st.column_config.NumberColumn("accuracy (%)", format="%.1f"),
            "zeros": st.column_config.NumberColumn("exact zeros (%)", format="%.1f"),
            "epoch": st.column_config.NumberColumn("an epoch (s)", format="%.1f"),
            "curve": st.column_config.LineChartColumn("validation accuracy", y_min=0, y_max=1, width="small"),
        },
    )
    st.caption(f"{said}. Accuracy is of validation images; “judged” says of how many, and how sure that is.")
    chosen = [found[i] for i in picked.selection.rows if i < len(found)]
    with actions:
        _actions(chosen)


def _list_key(runs: Sequence[StoredRun]) -> str:
    """Another list has other ticks: a browser keeps them by place, and another run may stand there now."""
    return f"runs.list.{hash(tuple(run.id for run in runs))}"


def _filtered(runs: Sequence[StoredRun]) -> list[StoredRun]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs_filters"):
        text = st.text_input(
            "Search", key="runs.search", max_chars=80, width=220, placeholder="name, words, note or tag",
            persist_state="session",
        )  # fmt: skip
        whose = st.segmented_control(
            "Whose", ["All", "Mine"], default="All", required=True, key="runs.whose", persist_state="session"
        )
        kept = [run for run in runs if whose != "Mine" or run.visitor == visitor()]
        kept = _choice("State", kept, lambda run: [run.state])
        kept = _choice("Images", kept, lambda run: [title_of(DATASETS, run.spec.data.name)])
        kept = _choice("Network", kept, lambda run: [title_of(ARCHITECTURES, run.spec.model.arch)])
        kept = _choice("Regulariser", kept, lambda run: _regularisers(run.spec))
        kept = _choice("Tag", kept, lambda run: list(run.tags))
    words = (text or "").casefold().split()
    return [run for run in kept if all(word in _searched(run) for word in words)]


def _choice(
    label: str, runs: Sequence[StoredRun], values: Callable[[StoredRun], Sequence[str]]
) -> list[StoredRun]:
    """One filter; it offers what is there. Not drawn where there is nothing to choose."""
    there = sorted({value for run in runs for value in values(run)})
    wanted = st.session_state.get(f"runs.{label}", ANY)
    if len(there) < 2 and wanted == ANY:
        return list(runs)
    offered = [ANY, *there, *([wanted] if wanted not in (ANY, *there) else [])]
    wanted = st.selectbox(plain(label), offered, key=f"runs.{label}", width=150, persist_state="session")
    return [run for run in runs if wanted == ANY or wanted in values(run)]


def _regularisers(spec: RunSpec) -> list[str]:
    return [title_of(REGULARISERS, each.kind) for each in spec.regularisers] or ["none"]


def _searched(run: StoredRun) -> str:
    return " ".join((title(run.spec), in_words(run.spec), run.note, *run.tags, run.id)).casefold()


def _table(runs: Sequence[StoredRun]) -> pd.DataFrame:
    """A row a run, the newest first; numbers as numbers, so that a click on a column's head sorts them."""
    rows = []
    for run, before in zip(runs, [*runs[1:], None], strict=True):
        summary: dict[str, Any] = dict(run.summary or {})
        result = result_of(summary) if summary else {}
        images = summary.get("validation_images")
        accuracy = result.get("validation_accuracy")
        rows.append(
            {
                "★": "★" if run.starred else "",
                "run": title(run.spec),
                "seed": run.spec.seed,
                "accuracy": None if accuracy is None else 100 * accuracy,
                "curve": summary.get("curve"),
                "zeros": 100 * result["sparsity"]["exact"] if result else None,
                "differs from the one before": _apart(run, before),
                "state": run.state if run.imported_at is None else f"{run.state}, imported",
                "begun": when(run.created_at),
                "epoch": summary.get("epoch_seconds"),
                "judged": in_full(accuracy, images) if accuracy is not None else "",
                "tags": ", ".join(run.tags),
                "note": run.note,
            }
        )
    return pd.DataFrame(rows)


def _apart(run: StoredRun, before: StoredRun | None) -> str:
    if before is None:
        return ""
    differ = differences(run.spec, before.spec)
    if run.spec.seed != before.spec.seed:
        differ.append(f"seed {run.spec.seed}")
    return ", ".join(differ)


def _actions(chosen: Sequence[StoredRun]) -> None:
    if not chosen:
        st.caption("Tick runs at their left: one to open or note it, two to eight to compare them.")
        return
    ids = [run.id for run in chosen]
    if len(ids) == 1:
        st.page_link(
            "pages/2_Train.py", label="Open", icon=":material/open_in_new:", query_params={"run": ids[0]}
        )
    if FEWEST <= len(ids) <= MOST:
        st.page_link(
            "pages/3_Runs.py",
            label=f"Compare {len(ids)} runs",
            icon=":material/stacked_line_chart:",
            query_params={NAME: ",".join(ids)},
        )
    elif len(ids) > MOST:
        st.caption(f"At most {MOST} can be compared.")
    if not all(may_control(run, asker()) for run in chosen):
        return  # what is not his to change is not offered
    starred = all(run.starred for run in chosen)
    st.button(
        "Take the star off" if starred else "Star",
        icon=":material/star:",
        key="runs.star",
        on_click=_star,
        args=(ids, not starred),
        help="A starred run keeps its files, whatever room is needed.",
    )
    if len(chosen) == 1:
        _words(chosen[0])
    if len(chosen) == 1 and chosen[0].ended:
        st.button(
            "Delete",
            icon=":material/delete:",
            key="runs.delete",
            on_click=delete,
            args=(ids[0], title(chosen[0].spec)),
            help="It can be taken back for an hour.",
        )


def _words(run: StoredRun) -> None:
    with (
        st.popover("Name, tags, note", icon=":material/edit:"),
        st.form(f"runs.words.{run.id}", border=False),
    ):
        name = st.text_input("Name", run.name, max_chars=80, placeholder=title(run.spec))
        tags = st.text_input("Tags, with commas between", ", ".join(run.tags), max_chars=MAX_TAGS * 42)
        note = st.text_area("Note", run.note, max_chars=MAX_NOTE)
        if st.form_submit_button("Keep"):
            wanted = [each.strip() for each in tags.split(",") if each.strip()]
            if obeyed(jobs().rename, run.id, name.strip()) and obeyed(jobs().annotate, run.id, note, wanted):
                st.rerun()


def _star(ids: Sequence[str], starred: bool) -> None:
    for run_id in ids:
        obeyed(jobs().star, run_id, starred)
