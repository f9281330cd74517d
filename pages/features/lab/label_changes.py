"""Labels that an operation turns into others, read off the draws: no network is asked."""

from __future__ import annotations

import streamlit as st

from core.run.errors import SpecError
from pages.components.gallery import Line, Tile, gallery
from pages.features.frame.asking import ask
from pages.features.lab.look import Look


def label_changes(look: Look) -> None:
    """Images whose label, by what it means, is another one after an operation."""
    try:
        found = ask("label_changes", augment=look.augment, data=look.spec.data, seed=look.seed)
    except SpecError:  # the images can't be read: what is drawn below says why
        return
    if not found["titles"]:
        return
    st.markdown("**Read off the draws**: the label stays, and the image says another")
    captions = [
        f"{label}, reads {reading}" for label, reading in zip(found["labels"], found["reads_as"], strict=True)
    ]
    gallery(
        [
            Tile(src=after, alt=f"{caption}.", caption=caption, lines=(Line(title),), before=before)
            for after, before, caption, title in zip(
                found["after"], found["before"], captions, found["titles"], strict=True
            )
        ],
        key="label_changes",
    )
