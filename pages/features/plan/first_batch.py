"""The first images of a run as it will see them: beside the dials that change them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.run.spec import AugmentSpec
from core.text.describe import augmentation_in_words
from core.text.escape import plain
from pages.components.gallery import Tile, gallery


def batch_place(augment: AugmentSpec) -> DeltaGenerator:
    """Room for `first_batch` in the form, under what is done to the images, in words."""
    with st.container(key="first_batch_part", gap="xxsmall"):
        words = augmentation_in_words(augment)
        said = f"First batch: {words}." if words else "First batch: images as they are."
        st.caption(plain(said))
        return st.container(key="first_batch_place")


def first_batch(plan: Mapping[str, Any], place: DeltaGenerator | None = None) -> None:
    """Draw it.

    Args:
        plan: the interactive worker's answer.
        place: where; by default here.
    """
    with place or nullcontext():
        if plan["batch"] is None:
            st.caption(plain(plan["too_large"]))
            return
        tiles = [
            Tile(src=source, alt=f"An image of class {name}, as the run's first step sees it.", caption=name)
            for source, name in zip(plan["batch"]["pictures"], plan["batch"]["names"], strict=True)
        ]
        gallery(tiles, key="first_batch", variant="thumbs")
