"""Which images a preview shows: the bundled photographs, the dataset of the spec, or a person's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import streamlit as st
import torch
from torch import Tensor

from core.data.catalogue import DATASETS
from core.data.photos import photos
from core.pictures import encode_images
from core.run.errors import SpecError
from core.run.spec import DataSpec, RunSpec
from core.text.escape import plain
from pages.features.editor import choice
from pages.features.frame.teacher import shown
from pages.features.images.dataset_cache import loaded
from pages.features.images.own_images import own_images

SHOWN = 16
PHOTO_SIDE = 224  # pixels; what most published networks take
_SOURCES = {"photos": "Photos", "data": "Dataset", "yours": "Yours"}
_DATASET = "augment.dataset"


@dataclass(frozen=True)
class Images:
    """uint8 (N, C, S, S), and for each a name and a sentence for those who can't see it."""

    tensor: Tensor
    names: tuple[str, ...]
    alts: tuple[str, ...]
    originals: int  # how many differ: the rest are repeats of the first ones, drawn anew

    @property
    def channels(self) -> int:
        return self.tensor.shape[1]

    @property
    def side(self) -> int:
        """In pixels."""
        return self.tensor.shape[-1]

    @cached_property
    def digest(self) -> str:
        """Names the pixels, for caches."""
        return hashlib.blake2b(self.tensor.numpy().tobytes(), digest_size=16).hexdigest()

    @cached_property
    def encoded_originals(self) -> list[str]:
        """The ones that differ as data URIs, made once for as long as they are looked at."""
        return _encoded(self.digest, self.tensor[: self.originals])

    @property
    def labels(self) -> Tensor:
        """int64 (N,): which of `classes` each image is, by its name."""
        return torch.tensor([self.classes.index(name) for name in self.names])

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The different names, in the order they are first seen."""
        return tuple(dict.fromkeys(self.names))


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
        mine = own_images(PHOTO_SIDE)
        if mine is not None:
            names = [f"yours {i + 1}" for i in range(len(mine))]
            return _repeated(mine, names, [f"Your image number {i + 1}." for i in range(len(mine))])
    pictures, about = photos(PHOTO_SIDE)
    return _repeated(pictures, [photo.name for photo in about], [photo.alt for photo in about])


@st.cache_data(max_entries=64, show_spinner=False)
def _encoded(digest: str, _pixels: Tensor) -> list[str]:
    return encode_images(_pixels)


def _dataset(spec: RunSpec) -> Images:
    if shown("images"):
        names = [name for name in DATASETS if name != "folder" or spec.data.name == "folder"]
        st.selectbox(
            "Dataset",
            names,
            names.index(spec.data.name),
            format_func=lambda name: DATASETS[name].title,
            key=choice.key(_DATASET),
            help="Training uses it too. Your own folder of images is chosen on the Train page.",
            on_change=_choose_dataset,
        )
    dataset = loaded(spec.data)
    classes = [dataset.classes[label] for label in dataset.labels[:SHOWN].tolist()]
    return _repeated(dataset.images[:SHOWN], classes, [f"An image of class {name}." for name in classes])


def _choose_dataset() -> None:
    spec = choice.current()
    chosen = st.session_state[choice.key(_DATASET)]
    if chosen != spec.data.name:
        choice.remember(spec.model_copy(update={"data": DataSpec(name=chosen)}))


def _repeated(tensor: Tensor, names: list[str], alts: list[str]) -> Images:
    """``SHOWN`` images: a few are repeated, because each repeat is drawn anew."""
    places = torch.arange(SHOWN) % len(tensor)
    order = places.tolist()
    return Images(
        tensor[places], tuple(names[i] for i in order), tuple(alts[i] for i in order), min(len(tensor), SHOWN)
    )
