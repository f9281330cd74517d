"""Which images a preview shows: the bundled photographs, the dataset of the spec, or a person's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from core.data.catalogue import DATASETS
from core.data.photos import photos
from core.pictures import encode_images
from core.run.errors import SpecError
from core.run.spec import DataSpec, RunSpec
from core.text.escape import plain
from pages.features.editor import choice
from pages.features.frame.asking import ask
from pages.features.frame.teacher import shown
from pages.features.images.own_images import own_images

SHOWN = 16
PHOTO_SIDE = 224  # pixels; what most published networks take
_SOURCES = {"photos": "Photos", "data": "Dataset", "yours": "Yours"}
_DATASET = "augment.dataset"


@dataclass(frozen=True)
class Images:
    """`SHOWN` images that previews are made of, as they are.

    Args:
        source: names them to the interactive worker.
        pictures: data URIs of those that differ; the rest are repeats of these, each drawn anew.
        names, alts: of each image, a name and a sentence for those who can't see it.
        side: in pixels.
    """

    source: dict[str, Any]
    pictures: Sequence[str]
    names: Sequence[str]
    alts: Sequence[str]
    channels: int
    side: int

    def picture(self, i: int) -> str:
        return self.pictures[i % len(self.pictures)]


def chosen_images(spec: RunSpec) -> Images:
    """Let a person choose the source; always at least one image."""
    asked = st.query_params.get("images")  # by its label, as Streamlit binds it
    source = next((name for name, label in _SOURCES.items() if label == asked), "photos")
    if shown("images"):
        source = st.segmented_control(
            "Images",
            list(_SOURCES),
            default="photos",
            required=True,
            format_func=lambda name: _SOURCES[name],
            key="images",
            bind="query-params",
            persist_state="session",
        )
    if source == "data":
        try:
            return _dataset(spec)
        except SpecError as error:
            st.error(plain(error.what), icon=":material/folder_off:")
    elif source == "yours" and shown("images"):
        try:
            if digests := own_images(PHOTO_SIDE):
                return _asked({"own": digests})
        except SpecError as error:
            st.error(plain(error.what), icon=":material/broken_image:")
    return _photographs()


def _asked(source: dict[str, Any]) -> Images:
    return Images(source, **ask("images", source=source))


@cache
def _photographs() -> Images:
    """Made here, so that a page shows them while the worker still starts."""
    pictures, about = photos(PHOTO_SIDE)
    repeated = [about[i % len(about)] for i in range(SHOWN)]
    return Images(
        {"photos": PHOTO_SIDE},
        encode_images(pictures),
        [photo.name for photo in repeated],
        [photo.alt for photo in repeated],
        channels=3,
        side=PHOTO_SIDE,
    )


def _dataset(spec: RunSpec) -> Images:
    if shown("images"):
        names = [name for name, entry in DATASETS.items() if not entry.own or spec.data.name == name]
        st.selectbox(
            "Dataset",
            names,
            names.index(spec.data.name),
            format_func=lambda name: DATASETS[name].title,
            key=choice.key(_DATASET),
            help="Training uses it too. Your own folder of images is chosen on the Train page.",
            on_change=_choose_dataset,
        )
    return _asked({"data": spec.data.model_dump(mode="json", include={"name", "path", "side", "channels"})})


def _choose_dataset() -> None:
    spec = choice.current()
    chosen = st.session_state[choice.key(_DATASET)]
    if chosen != spec.data.name:
        choice.remember(spec.model_copy(update={"data": DataSpec(name=chosen)}))
