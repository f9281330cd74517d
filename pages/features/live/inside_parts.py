"""What is in a run's network: the filters of its first layer, and its weights by one measure at a time."""

from __future__ import annotations

import streamlit as st

from core.figures.filters import filter_images, with_filters
from core.figures.measures import (
    earlier_prunable_share,
    measure,
    measure_now,
    measured,
    why_no_prunable_share,
    why_not_thorough,
)
from core.figures.sparsity import zero_groups_elsewhere
from core.jobs.views import RunView
from core.measure.catalogue import MEASURES
from core.models.catalogue import ARCHITECTURES
from core.text.escape import plain
from pages.components.gallery import Line, Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.live.not_yet import OLDER, wait
from pages.features.live.processes import processes_part
from pages.features.live.run_charts import chart, shown_history

_READ = {
    True: "The sparser the network, the larger the figure.",
    False: "The sparser the network, the smaller the figure.",
    None: "The same for every network of this shape, however sparse: what the others are compared with.",
}


def filters_part(view: RunView) -> None:
    """What the first layer looks for, and which of it has died."""
    events = with_filters(shown_history(view))
    if not events:
        if not view.history.epochs:
            return wait(view)
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
        st.caption(
            f"In other layers {plain(elsewhere)} by then. *Sparsity* has a chart of them, under *Layers*."
        )


def _percent(share: float) -> str:
    """``100%`` only of what is whole: a filter with one weight left is not gone."""
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def measures_part(view: RunView) -> None:
    """One measure of sparsity at a time, with its definition; beneath, what several processes bring."""
    history = shown_history(view)
    names = measured(history)
    if not names:
        return wait(view)
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
