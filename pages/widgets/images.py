"""Which images a preview shows: the bundled photographs, the dataset of the spec, or a person's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from core import data
from core.errors import SpecError
from core.pictures import encode_images
from core.spec import RunSpec

SHOWN = 16
PHOTO_SIDE = 224  # pixels; what most published networks take
_SOURCES = {"photos": "Photos", "data": "Dataset", "yours": "Yours"}


@dataclass(frozen=True, slots=True)
class Images:
    """uint8 (N, C, S, S), and for each a name and a sentence for those who can't see it."""

    tensor: Tensor
    names: tuple[str, ...]
    alts: tuple[str, ...]
    originals: int  # how many differ: the rest are repeats of the first ones, drawn anew

    def encoded_originals(self) -> list[str]:
        """The ones that differ as data URIs, made once for as long as they are looked at."""
        pixels = self.tensor[: self.originals]
        digest = hashlib.blake2b(pixels.numpy().tobytes(), digest_size=16).hexdigest()
        return _encoded(digest, pixels)


def chosen_images(spec: RunSpec) -> Images:
    """Let a person choose the source; always at least one image."""
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
            st.error(error.what, icon=":material/folder_off:")
    elif source == "yours":
        mine = _uploaded()
        if mine:
            return mine
    photos, about = data.photos(PHOTO_SIDE)
    return _repeated(photos, [photo.name for photo in about], [photo.alt for photo in about])


@st.cache_data(max_entries=64, show_spinner=False)
def _encoded(digest: str, _pixels: Tensor) -> list[str]:
    return encode_images(_pixels)


def _dataset(spec: RunSpec) -> Images:
    dataset = data.load(spec.data)
    names = [dataset.classes[label] for label in dataset.labels[:SHOWN].tolist()]
    st.caption(f"The first {len(names)} images of {spec.data.name}. Choose another set on the Train page.")
    return _repeated(dataset.images[:SHOWN], names, [f"An image of class {name}." for name in names])


def _uploaded() -> Images | None:
    """A person's own pictures, in memory for this visit only."""
    files = st.file_uploader(
        "Your images",
        type=["png", "jpg", "jpeg", "webp", "bmp"],
        accept_multiple_files=True,
        max_upload_size=10,
        key="augment.uploads",
        help="PNG, JPEG, WebP or BMP. Kept in memory for this visit only, never on disk.",
    )
    if not files:
        st.caption(
            "Until you choose some, you see the photographs. Yours stay in memory for this visit only."
        )
        return None
    pictures, refusals = data.upload_images(
        [(file.name, file.getvalue()) for file in files[:SHOWN]], PHOTO_SIDE, 3
    )
    for refusal in refusals:
        st.warning(refusal, icon=":material/broken_image:")
    if len(files) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(files)} are shown.")
    if not len(pictures):
        return None
    names = [f"yours {i + 1}" for i in range(len(pictures))]
    return _repeated(pictures, names, [f"Your image number {i + 1}." for i in range(len(pictures))])


def _repeated(tensor: Tensor, names: list[str], alts: list[str]) -> Images:
    """``SHOWN`` images: a few are repeated, because each repeat is drawn anew."""
    places = torch.arange(SHOWN) % len(tensor)
    order = places.tolist()
    return Images(
        tensor[places], tuple(names[i] for i in order), tuple(alts[i] for i in order), min(len(tensor), SHOWN)
    )
