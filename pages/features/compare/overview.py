"""The first part of a comparison: curves, what each run came to, and what differs in their settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from core.catalogues import filled
from core.figures.overlay import AXES, MAX_SMOOTHING, MEASURES, Curves, overlay
from core.figures.parts import Figure
from core.jobs.views import RunView
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.text import compare
from core.text.escape import plain
from core.text.shares import gap, in_full, percent
from core.text.side_by_side import differing
from pages.components.live_chart import live_chart
from pages.features.compare.compared import Compared
from pages.features.live.outcome import as_compared

HEIGHT = 260  # pixels of a chart


def overview_part(runs: Sequence[Compared]) -> None:
    """Of single runs; see `pages.features.compare.groups` for them with all their seeds."""
    curves = [Curves(run.name, run.view.history.epochs) for run in runs]
    views = [run.view for run in runs]
    curves_part(lambda name, by, smoothing: overlay(curves, name, by, smoothing), views, f"{len(runs)} runs")
    _results(runs)
    differences_part(runs)


def curves_part(draw: Callable[[str, str, float], Figure], views: Sequence[RunView], of: str) -> None:
    """The choice of an axis and of smoothing, and a chart a measure.

    Args:
        draw: a figure of a name in `MEASURES`, one in `AXES`, and how much is smoothed.
        of: what the charts show, e.g. ``3 runs``.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.segmented_control(
            "Along", list(AXES), default="epoch", required=True, key="along", bind="query-params"
        )
        smoothing = st.slider(
            "Smoothing", 0.0, MAX_SMOOTHING, 0.0, 0.05, key="compare.smoothing", width=220,
            help="0 draws what was measured. Above it, a running mean.",
        )  # fmt: skip
    drawn = [name for name in MEASURES if name != "zeros" or _have_zeros(views)]
    columns = st.columns(2)
    for i, name in enumerate(drawn):
        label = MEASURES[name].label
        with columns[i % 2]:
            st.markdown(f"**{plain(label[:1].upper() + label[1:])}**")
            figure = draw(name, by or "epoch", smoothing)
            live_chart(json.dumps(figure), key=f"compare.{name}", height=HEIGHT, alt=f"{label} of {of}.")


def _have_zeros(views: Sequence[RunView]) -> bool:
    return any(epoch["sparsity"]["exact"] for view in views for epoch in view.history.epochs[-1:])


def _results(runs: Sequence[Compared]) -> None:
    st.markdown("**What they came to**")
    views = [run.view for run in runs]
    shares = [each.history.result["validation_accuracy"] if each.history.result else -1 for each in views]
    rows = []
    for (name, _, view), share in zip(runs, shares, strict=True):
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


def differences_part(runs: Sequence[Compared]) -> None:
    """What is not alike in the settings of all of them."""
    views = [run.view for run in runs]
    st.markdown("**What differs**")
    rows = differing([_filled(view.spec) for view in views])
    if not rows:
        st.caption("Nothing: these runs have the same settings and the same seed.")
        return
    names = [f"{i}. {name}" for i, (name, _, _) in enumerate(runs, 1)]
    table = pd.DataFrame([dict(zip(names, said, strict=True)) for _, said in rows])
    table.insert(0, "setting", [label for label, _ in rows])
    st.dataframe(table, hide_index=True, width="stretch", key="compare.differs")
    if any(view.history.edits for view in views):
        st.caption("As the runs began; some were changed while they ran, see their own pages.")


def _filled(spec: RunSpec) -> RunSpec:
    try:
        return filled(spec)
    except SpecError:  # a part of it is no longer there
        return spec
