"""One image closely: before and after, after each operation in turn, and its values as histograms."""

from __future__ import annotations

import json

import streamlit as st

from core.figures import probes as figures
from core.preview.histograms import Histogram
from pages.components.compare import compare
from pages.components.gallery import Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.frame.asking import ask
from pages.features.lab.grid import lines
from pages.features.lab.look import Look


def one_image(look: Look) -> None:
    """Choose one of the grid's images, and see what each operation did to it."""
    i = chosen_image(look)
    images, shown = look.images, look.shown
    left, right = st.columns([2, 3], gap="large")
    with left:
        alt = f"{images.alts[i]} Before and after."
        compare(images.picture(i), shown.pictures[i], key="compare", alt=alt)
    with right:
        st.markdown("**Step by step**")
        _steps(look, i)
    st.markdown("**Values**", help="What share of the pixels has each value, before and after.")
    told = ask("histograms", image=i, **look.question)
    counts = Histogram.from_json(told["before"]), Histogram.from_json(told["after"])
    chart = figures.value_histograms(*counts)
    live_chart(json.dumps(chart.figure), key="histogram", height=160 + 100 * images.channels, alt=chart.alt)
    names = ("grey",) if images.channels == 1 else ("red", "green", "blue")
    st.caption(
        " · ".join(f"{name}: {figures.clipped(*counts, channel)}" for channel, name in enumerate(names))
    )


def chosen_image(look: Look) -> int:
    """Which of the grid's images the tabs that show one show: the same in all of them."""
    names = look.images.names
    i = st.selectbox(
        "Image",
        range(len(names)),
        format_func=lambda i: f"{i + 1} · {names[i]}",
        key="lab.image",
        persist_state="session",
        width=240,
    )
    return int(i)


def _steps(look: Look, i: int) -> None:
    """The image after each operation, in the order they run."""
    images = look.images
    after = ask("stages", image=i, **look.question)
    if not after["pictures"]:
        st.caption("No operation is on.")
        return
    tiles = [Tile(src=images.picture(i), alt=images.alts[i], caption="original")]
    for source, drawn in zip(after["pictures"], after["drawn"], strict=True):
        alt = f"After {drawn['title'].lower()}."
        tiles.append(Tile(src=source, alt=alt, caption=drawn["title"], lines=lines([drawn])))
    gallery(tiles, key="stages", columns=6)
