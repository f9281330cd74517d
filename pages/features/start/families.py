"""The three families of techniques, each in a picture that the code itself makes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.catalogues import filled
from core.figures.shrinkage import shrinkage_curves
from core.presets import preset
from core.run.address import encode
from pages.components.gallery import Tile, gallery
from pages.components.live_chart import live_chart

# `python -m tests.make_families` makes it of the code itself, and a test compares the two: this page needs
# no worker, and no torch.
SHOWN = Path(__file__).parents[2] / "assets" / "families.json"
HEIGHT = 260  # pixels, of each picture


def augmentation_card() -> None:
    """One photograph, six times, each drawn anew."""
    st.subheader("Data augmentation", anchor=False)
    gallery(
        [
            Tile(src=source, alt=f"The same photograph, augmented, draw {i + 1}.")
            for i, source in enumerate(_shown()["pictures"])
        ],
        key="family.augment",
        columns=12,  # three in so narrow a column
    )
    st.caption("One photograph, six draws: the network never sees the same picture twice.")
    st.page_link("pages/1_Augment.py", label="Tune augmentations by eye", icon=":material/auto_fix_high:")


def structure_card() -> None:
    """Where the architectures keep their parameters."""
    st.subheader("Network structure", anchor=False)
    live_chart(_structures(), key="family.structure", height=HEIGHT, alt="Bars: parameters of each layer.")
    st.caption("Four networks for the same digits, layer by layer: one dense layer holds most of the CNN.")
    st.page_link("pages/2_Train.py", label="Choose a network and train it", icon=":material/schema:")


def regularisation_card() -> None:
    """What one regularised step makes of a weight."""
    st.subheader("Regularisation", anchor=False)
    live_chart(
        _curves(),
        key="family.regularise",
        height=HEIGHT,
        alt="Curves: a weight after one step against the weight before; L1 is flat at zero.",
    )
    st.caption(
        "What one step makes of a weight: L2 shrinks all of them, L1 sets the small ones to exactly zero."
    )
    st.page_link(
        "pages/2_Train.py",
        label="Watch weights become zero",
        icon=":material/compress:",
        query_params={"spec": encode(filled(preset("l1-sparse")))},
    )


@cache
def _shown() -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(SHOWN.read_text(encoding="utf-8"))
    return shown


@cache
def _structures() -> str:
    return json.dumps(_shown()["structures"])


@cache
def _curves() -> str:
    return json.dumps(shrinkage_curves())
