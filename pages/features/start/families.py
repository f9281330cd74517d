"""The three families of techniques, each in a picture that the code itself makes."""

from __future__ import annotations

import json

import streamlit as st

from core import figures
from core.catalogues import filled
from core.data.photos import photos
from core.data.shape import image_shape
from core.models.catalogue import ARCHITECTURES
from core.models.summary import summarise
from core.pictures import encode_images
from core.presets import preset
from core.preview.results import preview
from core.run.address import encode
from core.run.spec import AugmentSpec, DataSpec, ModelSpec, OpSpec
from pages.components.gallery import Tile, gallery
from pages.components.live_chart import live_chart

SHOWN_OPS = AugmentSpec(
    ops=(
        OpSpec(op="RandomHorizontalFlip", p=0.5),
        OpSpec(op="RandomAffine", p=1.0),
        OpSpec(op="ColorJiggle", p=1.0),
        OpSpec(op="RandomErasing", p=0.5),
    )
)
HEIGHT = 260  # pixels, of each picture


def augmentation_card() -> None:
    """One photograph, six times, each drawn anew."""
    st.subheader("Data augmentation", anchor=False)
    sources = _six_times()
    gallery(
        [
            Tile(src=source, alt=f"The same photograph, augmented, draw {i + 1}.")
            for i, source in enumerate(sources)
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
    st.caption("Four networks for the same digits, layer by layer: nearly all of the CNN is one dense layer.")
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


@st.cache_data(show_spinner=False, max_entries=1)
def _six_times() -> list[str]:
    pictures, _ = photos(160)
    shown = preview(SHOWN_OPS, pictures[1:2].expand(6, -1, -1, -1).contiguous(), seed=3, step=0, device="cpu")
    return encode_images(shown.results)


@st.cache_data(show_spinner=False, max_entries=1)
def _structures() -> str:
    shape = image_shape(DataSpec())
    return json.dumps(
        figures.parameters_by_layer(
            {
                name.upper() if len(name) == 3 else name.capitalize(): summarise(
                    ModelSpec(arch=name),
                    channels=shape.channels,
                    side=shape.side,
                    num_classes=shape.num_classes,
                )
                for name in ARCHITECTURES
            }
        )
    )


@st.cache_data(show_spinner=False, max_entries=1)
def _curves() -> str:
    return json.dumps(figures.shrinkage_curves())
