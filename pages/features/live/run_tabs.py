"""What is in the weights of a run, in tabs; only the one that is open is drawn."""

from __future__ import annotations

import json
from collections.abc import Callable

import streamlit as st

from core.catalogue import title_of
from core.figures.filters import filter_images, with_filters
from core.figures.flow import has_flow
from core.figures.measures import (
    earlier_prunable_share,
    measure,
    measure_now,
    measured,
    why_no_prunable_share,
    why_not_thorough,
)
from core.figures.parts import Figure
from core.figures.runs import RunPoint, front, in_sight, out_of_sight, sparsity_and_accuracy
from core.figures.sparsity import (
    groups_in_words,
    has_groups,
    removable,
    sparsity_by_layer,
    sparsity_map,
    zero_groups,
    zero_groups_elsewhere,
)
from core.figures.weights import edges, has_histograms, near_zero_share, weight_ridge
from core.jobs.views import RunView
from core.measure.catalogue import MEASURES
from core.measure.near import NEAR
from core.models.catalogue import ARCHITECTURES
from core.run.figures import result_of
from core.run.spec import DataSpec
from core.text.describe import data_in_words, in_words, title
from core.text.escape import plain
from core.text.shares import percent
from pages.components.gallery import Line, Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.export.take_away import take_away
from pages.features.frame.setup import jobs
from pages.features.live.flow_chart import FLOW_WAYS, flow_chart
from pages.features.live.mistakes_tab import mistakes_tab
from pages.features.live.processes import processes_part
from pages.features.live.run_charts import chart, shown_history

OLDER = "This run is of an older version of Augury, which did not keep this. Train it again to see it."
WHOLE = "whole network"
MOST_RUNS = 500
RUNS_SECONDS = 5  # how often the list of all runs is read again
FRONT_LINKS = 6


_READ = {
    True: "The sparser the network, the larger the figure.",
    False: "The sparser the network, the smaller the figure.",
    None: "The same for every network of this shape, however sparse: what the others are compared with.",
}


def run_tabs(view: RunView) -> None:
    """Draw the open tab; the address keeps which one that is."""
    tabs = {
        "Layers": layers_tab,
        "Mistakes": mistakes_tab,
        "Weights": weights_tab,
        "Filters": filters_tab,
        "Measures": measures_tab,
        "All runs": runs_tab,
        "Take away": lambda view: take_away([view]),
    }
    opened = st.tabs(list(tabs), key="look", on_change="rerun", bind="query-params")
    for tab, draw in zip(opened, tabs.values(), strict=True):
        if tab.open:
            with tab:
                draw(view)


def layers_tab(view: RunView) -> None:
    """Which layers become sparse, and when."""
    history = shown_history(view)
    if not history.epochs:
        return _wait(view)
    ways: dict[str, tuple[Callable[..., Figure], str]] = {
        "Map": (sparsity_map, "Map of exact zeros: a row a layer, a column an epoch."),
        "Lines": (sparsity_by_layer, "Line chart of exact zeros by layer."),
    }
    if has_groups(history):
        ways["Filters, neurons, heads"] = (zero_groups, "Line chart of zero groups by layer.")
    if has_flow(history):
        ways |= FLOW_WAYS
    way = st.segmented_control("Shown as", list(ways), default="Map", required=True, key="layers.way")
    draw, alt = ways[way]
    last = history.result
    assert last is not None
    if way in FLOW_WAYS:
        return flow_chart(view, way)
    said = ", ".join(
        f"{name} {percent(layer['exact'])} of {layer['weights']:,}"
        for name, layer in last["sparsity"]["layers"].items()
    )
    height = 130 + 34 * len(last["sparsity"]["layers"]) if way == "Map" else 320
    live_chart(chart(view, draw), key=f"layers.{way}", height=height, alt=f"{alt} Now: {said}.")
    words = groups_in_words(last)
    empty = removable(last, view.spec.model.arch)
    st.caption(
        "Exactly 0.0, in per cent of each layer's weights; biases and norm layers are left out."
        + (f" Wholly zero: {plain(words)}." if words else "")
        + (
            f" These {empty} put out the same for every image and could be taken out of the network."
            if empty
            else ""
        )
    )


def weights_tab(view: RunView) -> None:
    """How large the weights are, and what share is smaller than an ε of one's choice."""
    history = shown_history(view)
    if not history.epochs:
        return _wait(view)
    if not has_histograms(history):
        st.caption(OLDER)
        return
    bounds = edges(history)
    left, right = st.columns([1, 2])
    layer = left.selectbox("Weights of", [WHOLE, *history.epochs[-1]["sparsity"]["layers"]], key="weights.of")
    epsilon = right.select_slider(
        "Near zero means |w| < ε",
        bounds,
        min(bounds, key=lambda bound: abs(bound - NEAR)),
        format_func=lambda edge: f"ε = {edge:.2g}",
        key="weights.epsilon",
        help="A choice, and an arbitrary one: the share of near zeros is whatever ε makes it. The "
        "histograms' edges are powers of two, so ε is one.",
    )
    left, right = st.columns([3, 2])
    with left:
        st.markdown("**Size of the weights, epoch by epoch**")
        ridge = chart(view, weight_ridge, None if layer == WHOLE else layer, epsilon)
        live_chart(
            ridge,
            key="weights.ridge",
            height=420,
            alt=f"Histograms of |w| of the {layer}, one an epoch; exact zeros are bars at the left.",
        )
    with right:
        st.markdown(f"**Near zero: |w| < {epsilon:.2g}**")
        live_chart(
            chart(view, near_zero_share, epsilon),
            key="weights.near",
            height=420,
            alt=f"Line chart of the share of weights with |w| < {epsilon:.2g}, by layer.",
        )
    st.caption(
        "The newest epoch is in front. A hill that moves left is weights that shrink; a bar that grows is "
        "weights that became exactly 0. Only the second makes a network smaller."
    )


def filters_tab(view: RunView) -> None:
    """What the first layer looks for, and which of it has died."""
    events = with_filters(shown_history(view))
    if not events:
        if not view.history.epochs:
            return _wait(view)
        entry = ARCHITECTURES.get(view.spec.model.arch)
        st.caption((entry and entry.no_filters) or OLDER)
        return
    event = events[-1]
    if view.ended and len(events) > 1:
        by_epoch = {each["epoch"]: each for each in events}
        event = by_epoch[
            st.select_slider("After epoch", list(by_epoch), event["epoch"], key=f"filters.{view.id}")
        ]
    first = filter_images(events[0])
    images = filter_images(event)
    dead = sum(image.zeros == 1 for image in images)
    kept = event["filters"]
    some = f"the first {len(images)} of {kept['of']}" if kept["of"] > len(images) else f"all {kept['of']}"
    st.markdown(f"**{plain(kept['layer'])}**, {some}, after epoch {event['epoch']}: {dead} wholly zero")
    tiles = [
        Tile(
            src=image.source,
            alt=f"Filter {i}, {_percent(image.zeros)} of its weights exactly zero.",
            caption="gone" if image.zeros == 1 else "",
            lines=(Line(f"{i}", f"{_percent(image.zeros)} zero" if image.zeros else ""),),
            before=before.source,
        )
        for i, (image, before) in enumerate(zip(images, first, strict=True), 1)
    ]
    gallery(tiles, key="filters", columns=16)
    grey = "orange is positive, blue negative, fainter is smaller"
    how = "in the colours it answers to" if kept["shape"][1] == 3 else grey
    st.caption(
        f"What each unit of the first layer looks for, {how}; a weight that is exactly 0 is not painted. "
        "Hold one to see it as it was after the first epoch."
    )
    if elsewhere := zero_groups_elsewhere(event, kept["layer"]):
        st.caption(f"In other layers {plain(elsewhere)} by then. The tab Layers has a chart of them.")


def _percent(share: float) -> str:
    """``100%`` only of what is whole: a filter with one weight left is not gone."""
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def measures_tab(view: RunView) -> None:
    """One measure of sparsity at a time, with its definition; beneath, what several processes bring."""
    history = shown_history(view)
    names = measured(history)
    if not names:
        return _wait(view)
    name = st.pills(
        "Measure",
        names,
        default=names[0],
        required=True,
        format_func=lambda each: MEASURES[each].title,
        key="measures.name",
    )
    entry = MEASURES[name]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{entry.title}: {measure_now(history, name)}**", width="content")
        with st.popover("Definition", icon=":material/help:"):
            st.markdown(entry.help)
            st.latex(entry.formula)
            st.caption(
                f"Of weight matrices and filters; biases and norm layers are left out. {entry.source}."
            )
    live_chart(
        chart(view, measure, name),
        key="measures",
        height=340,
        alt=f"Line chart of {entry.title.lower()}, whole and by layer.",
    )
    st.caption(_READ[entry.rises])
    notes = why_not_thorough(history), why_no_prunable_share(history), earlier_prunable_share(history)
    for note in filter(None, notes):
        st.caption(note)
    processes_part(view)


def runs_tab(view: RunView) -> None:
    """Every finished run on the same images: how sparse, how accurate, and which no other beats."""
    points = _points(_images(view.spec.data), view.id if view.ended else "")
    st.caption(
        f"Every finished run on {plain(data_in_words(view.spec.data))}, with as large a part held out, with "
        "the weights that were saved of it; the ringed one is this. No run beats those on the green front in "
        "both. Click a point to open its run; train again with another λ to add one."
    )
    if not points:
        st.info("No run on these images has finished yet; the first will be here.", icon=":material/info:")
        return
    live_chart(
        json.dumps(sparsity_and_accuracy(points, view.id)),
        key="runs",
        height=420,
        alt=f"{len(points)} runs: validation accuracy against exact zeros, with the Pareto front.",
        on_pick=_open,
    )
    if below := out_of_sight(points):
        st.caption(f"{below} of {len(points)} lie lower: double-click the chart to see all.")
    best = front(in_sight(points))
    with st.container(horizontal=True):
        st.markdown("On the front:", width="content")
        for point in best[-FRONT_LINKS:]:
            st.page_link(
                "pages/2_Train.py",
                label=plain(f"{point.name} ({percent(point.accuracy)}, {percent(point.exact)} zeros)"),
                query_params={"run": point.id, "look": "All runs"},
                help=plain(f"{point.figures}; {point.words}"),
                disabled=point.id == view.id,
            )


def _open(run_id: str) -> None:
    st.query_params["run"] = run_id


def _images(spec: DataSpec) -> DataSpec:
    """What decides on which images a run is judged: all but how many it learns from."""
    return spec.model_copy(update={"train_images": None, "split_seed": None})


@st.cache_data(
    ttl=RUNS_SECONDS, max_entries=8, show_spinner=False, hash_funcs={DataSpec: DataSpec.model_dump_json}
)
def _points(images: DataSpec, ended: str) -> list[RunPoint]:
    """Of all finished runs on these images; another ``ended``, a run's id, reads the list anew, so that a
    run is among them as soon as it has ended."""
    return [
        RunPoint(
            id=run.id,
            name=title(run.spec),
            words=in_words(run.spec) + (" · imported" if run.imported_at else ""),
            arch=title_of(ARCHITECTURES, run.spec.model.arch),
            accuracy=result_of(run.summary)["validation_accuracy"],
            exact=result_of(run.summary)["sparsity"]["exact"],
            images=run.summary.get("validation_images"),
            weights=result_of(run.summary)["sparsity"]["weights"],
        )
        for run in jobs().recent(MOST_RUNS)
        if run.state == "finished" and run.summary and _images(run.spec.data) == images
    ]


def _wait(view: RunView) -> None:
    ended = "The run ended before its first epoch did."
    st.caption(ended if view.ended else "There is something to see after the first epoch.")
