"""Which images a preview shows: the bundled photographs, the dataset of the spec, or a person's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from core.data.catalogue import DATASETS
from core.data.own import Form
from core.data.photos import photos
from core.pictures import encode_images
from core.run.errors import SpecError
from core.run.spec import DataSpec, RunSpec
from core.text.escape import plain
from pages.features.editor import choice
from pages.features.editor.data_part import OWN_SET, choose_images, own_zip, pick_images, waits_for_images
from pages.features.frame.asking import ask
from pages.features.frame.teacher import shown
from pages.features.images.own_images import own_images

SHOWN = 16
PHOTO_SIDE = 224  # pixels; what most published networks take
_SOURCES = {"photos": "Photos", "data": "Dataset", "yours": "Yours"}


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
    first = "data" if spec.data.path else "photos"
    source = next((name for name, label in _SOURCES.items() if label == asked), first)
    if shown("images"):
        if choice.own_images_are_new():
            st.session_state["images"] = "data"
        source = st.segmented_control(
            "Images",
            list(_SOURCES),
            default=first,
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
        pick_images(spec.data, "augment", "Dataset", "Training uses it too.")
        if DATASETS[spec.data.name].own:
            own_zip(spec.data)
    if waits_for_images(spec.data):
        return _photographs()
    return _asked({"data": spec.data.model_dump(mode="json", include={"name", "path", *Form._fields})})


def no_labels_note(images: Images, data: DataSpec) -> None:
    """Loose pictures can be looked at and not be trained on: what is trained on instead, and what to do."""
    if "own" not in images.source:
        return
    count = len(images.source["own"])
    which = "This picture has" if count == 1 else f"These {count:d} pictures have"
    with st.container(key="no_labels", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"{which} no labels; Train uses {plain(_what_train_uses(data))}",
            width="content",
        )
        if shown("images") and not DATASETS[data.name].own:
            st.button(
                "Upload a zip", icon=":material/upload:", type="tertiary", key="own_zip", on_click=_to_own_zip
            )


def _what_train_uses(data: DataSpec) -> str:
    if data.path is not None:
        return "the images of your zip."
    return f"{DATASETS[data.name].title}. To train on your own, upload a zip with one folder a class."


def _to_own_zip() -> None:
    choose_images(OWN_SET)
    st.session_state["images"] = "data"
