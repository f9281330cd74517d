"""Masks, boxes and key points: moved by geometry with their image, left alone by everything else."""

from __future__ import annotations

import streamlit as st

from pages.components.gallery import Tile, gallery
from pages.features.frame.asking import ask
from pages.features.images.images import PHOTO_SIDE
from pages.features.lab.grid import lines
from pages.features.lab.look import Look


def targets_tab(look: Look) -> None:
    """The bundled photographs with their annotations, through this pipeline."""
    st.caption(
        "Four annotated photographs. Geometry moves masks, boxes and key points as it moves the pixels; "
        "operations on values leave them alone. Hover a picture for the original."
    )
    transplant = st.toggle(
        "Transplant an object into the next image",
        key="targets.transplant",
        help="RandomTransplantation: one object, cut out by its mask, moves into the next photograph. It "
        "needs masks, so it can't train a classifier.",
    )
    shown = ask(
        "targets",
        augment=look.augment,
        side=PHOTO_SIDE,
        seed=look.seed,
        step=look.step,
        transplant=transplant,
    )
    gallery(
        [
            Tile(src=source, alt=f"{name}. {alt}", caption=name, lines=lines(drawn), before=before)
            for source, before, name, alt, drawn in zip(
                *(shown[part] for part in ("after", "before", "names", "alts", "drawn")), strict=True
            )
        ],
        key="targets",
        columns=8,
    )
