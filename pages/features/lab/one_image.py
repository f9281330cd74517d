"""One image closely: before and after, after each operation in turn, and its values as histograms."""

from __future__ import annotations

import json

import streamlit as st
import torch

from core.figures import probes as figures
from core.pictures import encode_images
from core.preview.histograms import histograms
from core.preview.results import stages
from pages.components.compare import compare
from pages.components.gallery import Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.lab.grid import lines
from pages.features.lab.look import Look


def one_image(look: Look) -> None:
    """Choose one of the grid's images, and see what each operation did to it."""
    i = chosen_image(look)
    images, shown = look.images, look.shown
    before, after = images.tensor[i : i + 1], shown.results[i : i + 1]
    left, right = st.columns([2, 3], gap="large")
    with left:
        alt = f"{images.alts[i]} Before and after."
        compare(encode_images(before)[0], encode_images(after)[0], key="compare", alt=alt)
    with right:
        st.markdown("**Step by step**")
        _steps(look, i)
    st.markdown("**Values**", help="What share of the pixels has each value, before and after.")
    counts = histograms(before, after)
    chart = figures.value_histograms(*counts)
    live_chart(json.dumps(chart.figure), key="histogram", height=160 + 100 * before.shape[1], alt=chart.alt)
    names = ("grey",) if before.shape[1] == 1 else ("red", "green", "blue")
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
    after = stages(
        look.augment, images.tensor, seed=look.seed, step=look.step, image=i, images_key=images.digest
    )
    if not after:
        st.caption("No operation is on.")
        return
    original, *sources = encode_images(torch.stack([images.tensor[i], *(stage.image for stage in after)]))
    tiles = [Tile(src=original, alt=images.alts[i], caption="original")]
    for stage, source in zip(after, sources, strict=True):
        alt = f"After {stage.drawn.title.lower()}."
        tiles.append(Tile(src=source, alt=alt, caption=stage.drawn.title, lines=lines([stage.drawn])))
    gallery(tiles, key="steps", columns=6)
