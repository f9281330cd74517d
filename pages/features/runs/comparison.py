"""Two to eight runs over each other: curves, what differs, what each came to, and whether that is noise."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.catalogues import filled
from core.figures.overlay import AXES, MAX_SMOOTHING, MEASURES, Curves, colour_of, overlay
from core.jobs.views import RunView
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.store import is_run_id
from core.text import compare
from core.text.describe import title
from core.text.escape import plain
from core.text.shares import gap, in_full, percent
from core.text.side_by_side import differing
from pages.components.live_chart import live_chart
from pages.features.export.take_away import take_away
from pages.features.frame.setup import jobs
from pages.features.live.outcome import as_compared

FEWEST, MOST = 2, 8
NAME = "runs"  # in an address
HEIGHT = 260  # pixels of a chart


def asked_runs() -> list[str]:
    """The runs that the address names, each once, in its order; at most eight."""
    asked = st.query_params.get(NAME, "").split(",")
    return list(dict.fromkeys(each for each in asked if is_run_id(each)))[:MOST]


def comparison(ids: Sequence[str]) -> None:
    """Draw it; says so where a run is gone."""
    views = [view for each in ids if (view := jobs().view(each)) and view.kind == "train"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Compare", anchor=False, width="stretch")
        st.page_link("pages/3_Runs.py", label="All runs", icon=":material/arrow_back:", query_params={})
    if len(views) < len(ids):
        st.warning("Some of these runs are gone, or were on another server.", icon=":material/search_off:")
    if len(views) < FEWEST:
        st.info("Choose two to eight runs in the list to see them over each other.", icon=":material/stacks:")
        return
    _legend(views)
    _curves(views)
    _results(views)
    _differences(views)
    st.markdown("**Take away**")
    take_away(views)


def _legend(views: Sequence[RunView]) -> None:
    colours = "".join(f".st-key-compared_{i} a {{ border-color: {colour_of(i)} }}" for i in range(len(views)))
    with st.container(horizontal=True, gap="small", key="compared"):
        st.html(f"<style>{colours}</style>")
        for i, (view, name) in enumerate(zip(views, _names(views), strict=True)):
            with st.container(key=f"compared_{i}", width="content"):
                st.page_link("pages/2_Train.py", label=plain(name), query_params={"run": view.id})


def _curves(views: Sequence[RunView]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.segmented_control(
            "Along", list(AXES), default="epoch", required=True, key="compare.by", persist_state="session"
        )
        smoothing = st.slider(
            "Smoothing", 0.0, MAX_SMOOTHING, 0.0, 0.05, key="compare.smoothing", width=220,
            help="0 draws what was measured. Above it, a running mean; the values stay behind it, thin.",
        )  # fmt: skip
    runs = [Curves(name, view.history.epochs) for view, name in zip(views, _names(views), strict=True)]
    drawn = [name for name in MEASURES if name != "zeros" or _have_zeros(views)]
    columns = st.columns(2)
    for i, name in enumerate(drawn):
        label = MEASURES[name].label
        with columns[i % 2]:
            st.markdown(f"**{plain(label[:1].upper() + label[1:])}**")
            figure = overlay(runs, name, by or "epoch", smoothing)
            live_chart(
                json.dumps(figure), key=f"compare.{name}", height=HEIGHT, alt=f"{label} of {len(runs)} runs."
            )


def _have_zeros(views: Sequence[RunView]) -> bool:
    return any(epoch["sparsity"]["exact"] for view in views for epoch in view.history.epochs[-1:])


def _results(views: Sequence[RunView]) -> None:
    st.markdown("**What they came to**")
    shares = [each.history.result["validation_accuracy"] if each.history.result else -1 for each in views]
    rows = []
    for view, name, share in zip(views, _names(views), shares, strict=True):
        result, images = view.history.result, view.history.validation_images
        if not result:
            rows.append({"run": name, "validation accuracy": "no epoch has ended"})
            continue
        of = result.get("clean_images")
        best = share == max(shares) and shares.count(share) == 1
        apart = gap(result["clean_accuracy"], of, share, images) if of and images else ("", "")
        rows.append(
            {
                "run": name,
                "validation accuracy": in_full(share, images) + (" · highest" if best else ""),
                "gap, points": f"{apart[0]} ({apart[1]})" if apart[0] else "",
                "validation loss": f"{result['validation_loss']:.3f}",
                "exact zeros": percent(result["sparsity"]["exact"]),
                "epochs": f"{len(view.history.epochs)} of {view.history.total_epochs}",
                "training": f"{sum(e.get('seconds') or 0 for e in view.history.epochs):,.0f} s",
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="compare.results")
    st.caption("In brackets the 95 % interval: of an accuracy Wilson's, of a gap Newcombe's.")
    # One that was changed or cut is not what its settings say: only the table tells of it.
    first, *others = (None if view.history.edits else as_compared(view) for view in views)
    for other in others:
        if first and other and compare.on_same_data(other.spec, first.spec):
            said = compare.beside(other, first)
            st.markdown(plain(said.sentence), help=plain(said.how))


def _differences(views: Sequence[RunView]) -> None:
    st.markdown("**What differs**")
    rows = differing([_filled(view.spec) for view in views])
    if not rows:
        st.caption("Nothing: these runs have the same settings and the same seed.")
        return
    names = [f"{i}. {name}" for i, name in enumerate(_names(views), 1)]
    table = pd.DataFrame([dict(zip(names, said, strict=True)) for _, said in rows])
    table.insert(0, "setting", [label for label, _ in rows])
    st.dataframe(table, hide_index=True, width="stretch", key="compare.differs")
    if any(view.history.edits for view in views):
        st.caption("As the runs began; some were changed while they ran, see their own pages.")


def _names(views: Sequence[RunView]) -> list[str]:
    """What each is called, with what tells it from another of the same name."""
    titles = [title(view.spec) for view in views]
    seeds = [(name, view.spec.seed) for name, view in zip(titles, views, strict=True)]
    return [
        name
        if titles.count(name) == 1
        else f"{name}, seed {seed}"
        if seeds.count((name, seed)) == 1
        else f"{name}, run {i}"
        for i, (name, seed) in enumerate(seeds, 1)
    ]


def _filled(spec: RunSpec) -> RunSpec:
    try:
        return filled(spec)
    except SpecError:  # a part of it is no longer there
        return spec
