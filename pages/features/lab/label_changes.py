"""Labels that an operation turns into others, read off the draws: no network is asked."""

from __future__ import annotations

import streamlit as st
import torch

from core.pictures import encode_images
from core.preview.label_changes import examples
from core.run.errors import SpecError
from pages.components.gallery import Line, Tile, gallery
from pages.features.images.dataset_cache import loaded
from pages.features.lab.look import Look


def label_changes(look: Look) -> None:
    """Images whose label, by what it means, is another one after an operation."""
    try:
        found = examples(look.augment, loaded(look.spec.data), seed=look.seed)
    except SpecError:  # the images can't be read: what is drawn below says why
        return
    if not found:
        return
    st.markdown("**Read off the draws**: the label stays, and the image says another")
    before = encode_images(torch.stack([each.before for each in found]))
    after = encode_images(torch.stack([each.after for each in found]))
    captions = [f"{each.label}, reads {each.reads_as}" for each in found]
    gallery(
        [
            Tile(src=now, alt=f"{caption}.", caption=caption, lines=(Line(each.title),), before=was)
            for each, caption, was, now in zip(found, captions, before, after, strict=True)
        ],
        key="label_changes",
    )
