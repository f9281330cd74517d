"""A page of the shared pieces with made-up curves and pictures, for the browser tests and to look at.

A button is one update, so a test decides when; `?live` updates four times a second by itself, and
`?show=charts` or `?show=pictures` leaves the rest out.
"""

from __future__ import annotations

import base64
import io
import json
import math
import random

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from PIL import Image
from sklearn.datasets import load_digits, load_sample_image
from torch import Tensor

from core.pictures import encode_images
from pages.components.gallery import Line, Tile, batch_strip, gallery
from pages.components.live_chart import live_chart

st.set_page_config(page_title="Components", layout="wide")


def losses(step: int) -> str:
    """Losses that fall and a penalty that rises, ``step`` epochs further than at first."""
    noise = random.Random(0)
    epochs = [epoch / 4 for epoch in range(4 * (step + 8))]
    wobble = [noise.uniform(-0.03, 0.03) for _ in epochs]
    lines = {
        "train": [2.2 * math.exp(-x / 2) + 0.08 + w for x, w in zip(epochs, wobble, strict=True)],
        "validation": [2.1 * math.exp(-x / 2.3) + 0.16 + w / 2 for x, w in zip(epochs, wobble, strict=True)],
        "penalty": [0.4 * (1 - math.exp(-x / 3)) for x in epochs],
    }
    return chart(epochs, lines, "loss")


def sparsity(step: int) -> str:
    """Shares of zeros by layer, and of the whole in bold."""
    epochs = list(range(step + 8))
    ends = {"conv1": 31, "conv2": 62, "fc1": 78, "fc2": 40, "whole": 71}
    lines = {name: [end / (1 + math.exp(3 - x)) for x in epochs] for name, end in ends.items()}
    return chart(epochs, lines, "exact zeros, %", whole={"width": 4, "color": "var(--st-text-color)"})


def chart(epochs: list, lines: dict, title: str, **styles: dict) -> str:
    traces = [
        go.Scatter(x=epochs, y=y, name=name, mode="lines", hovertemplate="%{y:.3f}")
        for name, y in lines.items()
    ]
    layout = go.Layout(
        template="none",
        margin={"l": 48, "r": 12, "t": 12, "b": 44},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title": {"text": "epoch"}, "range": [0, 20], "zeroline": False},
        yaxis={"title": {"text": title}, "rangemode": "tozero"},
        uirevision="demo",
    )
    figure = go.Figure(traces, layout).to_plotly_json()
    for trace in figure["data"]:  # after Plotly's own checks, which know no theme
        trace["line"] = styles.get(trace["name"], {"width": 2})
    return json.dumps(figure)


@st.cache_data
def photographs() -> Tensor:
    """(16, 3, 224, 224): cut from two photographs."""
    crops = []
    for index in range(16):
        whole = load_sample_image("china.jpg" if index % 2 else "flower.jpg")
        top, left = 40 + 9 * index, 20 + 19 * index
        crops.append(whole[top : top + 224, left : left + 224])
    return torch.tensor(np.stack(crops)).permute(0, 3, 1, 2)  # (N, C, H, W)


@st.cache_data(max_entries=20)
def augmented(step: int) -> list[Tile]:
    """Flips and brightness that change with every step."""
    draw = random.Random(step)
    images = photographs()
    flipped = [draw.random() < 0.5 for _ in images]
    gains = [draw.uniform(0.6, 1.4) for _ in images]
    results = [
        (image.flip(-1) if flip else image).float().mul(gain).clamp(0, 255).byte()
        for image, flip, gain in zip(images, flipped, gains, strict=True)
    ]
    originals, pictures = encode_images(images), encode_images(torch.stack(results))
    return [
        Tile(
            src=pictures[index],
            alt=f"Picture {index}, augmented",
            lines=(Line("Flip", fired=flipped[index]), Line("Brightness", f"×{gains[index]:.2f}")),
            before=originals[index],
        )
        for index in range(len(images))
    ]


def sprite(step: int) -> tuple[str, list[str]]:
    """Eight digits side by side, and their labels."""
    digits = load_digits()
    chosen = [(8 * step + index) % len(digits.target) for index in range(8)]
    side_by_side = np.hstack([digits.images[index] * 15.9 for index in chosen]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(side_by_side).save(file, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return uri, [str(digits.target[index]) for index in chosen]


def charts_section(step: int) -> None:
    left, right = st.columns(2)
    with left:
        live_chart(
            losses(step), key="loss", height=320, alt='Loss by epoch: "train", "validation", "penalty".'
        )
    with right:
        live_chart(sparsity(step), key="sparsity", height=320, alt="Share of exact zeros by layer.")
    with st.expander("Folded away"):
        live_chart(losses(step), key="folded", height=240, alt="Loss by epoch, once more.")


def pictures_section(step: int) -> None:
    st.caption("This batch")
    images, labels = sprite(step)
    batch_strip(images, labels, key="batch", alt="Digit")
    tiles = augmented(step)
    st.caption("Originals")
    originals = [Tile(src=tile.before or "", alt=f"Picture {n}") for n, tile in enumerate(tiles)]
    gallery(originals, key="originals", variant="strip", columns=16)
    st.caption("Results")
    gallery(tiles, key="results")


show = st.query_params.get("show", "charts, pictures")
is_live = "live" in st.query_params


@st.fragment(run_every=0.25 if is_live else None)
def moving_part() -> None:
    if st.button("Update") or is_live:
        st.session_state.step += 1
    st.button("Run again, with nothing new")
    st.session_state.runs += 1
    if "charts" in show:
        charts_section(st.session_state.step)
    if "pictures" in show:
        pictures_section(st.session_state.step)
    st.text(f"Run {st.session_state.runs}, update {st.session_state.step}")


st.session_state.setdefault("step", 0)
st.session_state.setdefault("runs", 0)
st.title("Components")
moving_part()
