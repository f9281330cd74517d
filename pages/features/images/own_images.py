"""A person's own pictures: uploaded, pasted or taken with the camera; in memory for this visit only."""

from __future__ import annotations

import hashlib

import streamlit as st
from torch import Tensor

from core.data.images import upload_images
from core.text.escape import plain
from pages.components.paste import paste_images

MOST = 16
_PASTED, _DECODED = "augury.pasted", "augury.decoded"


def own_images(side: int) -> Tensor | None:
    """uint8 (N, 3, side, side) of what a person gave so far; None if there is nothing to see yet.

    A sentence says of each bad file what is wrong with it; the good ones are still shown.
    """
    files = [(file.name, file.getvalue()) for file in _uploader()]
    files += [(f"pasted picture {i + 1}", content) for i, content in enumerate(_pasted())]
    files += [("camera picture", photo) for photo in _camera()]
    st.caption("Yours stay in memory for this visit only, never on disk.")
    if not files:
        st.caption("Until you choose some, you see the photographs.")
        return None
    if len(files) > MOST:
        st.caption(f"The first {MOST} of {len(files)} are shown.")
    pictures, refusals = _decoded(files[:MOST], side)
    for refusal in refusals:
        st.warning(plain(refusal), icon=":material/broken_image:")
    return pictures if len(pictures) else None


def _uploader() -> list:
    return st.file_uploader(
        "Your images",
        type=["png", "jpg", "jpeg", "webp", "bmp"],
        accept_multiple_files=True,
        max_upload_size=10,
        key="augment.uploads",
        help=f"PNG, JPEG, WebP or BMP, up to {MOST} of at most 10 MB each.",
    )


def _pasted() -> list[bytes]:
    kept: list[bytes] = st.session_state.setdefault(_PASTED, [])
    new = paste_images(key="augment.paste")
    if new is not None:
        kept += [content for content in new.images if content not in kept]
        del kept[MOST:]
        for refusal in new.refused:
            st.warning(plain(refusal), icon=":material/content_paste_off:")
    if kept:
        count = f"{len(kept)} pasted {'picture' if len(kept) == 1 else 'pictures'}"
        st.button(f"Forget {count}", icon=":material/close:", type="tertiary", on_click=kept.clear)
    return kept


def _camera() -> list[bytes]:
    box = st.expander("Camera", icon=":material/photo_camera:", key="augment.camera", on_change="rerun")
    with box:
        if not box.open:  # a camera that is not asked for is not switched on
            return []
        photo = st.camera_input("Take a picture", key="augment.photo", label_visibility="collapsed")
    return [photo.getvalue()] if photo else []


def _decoded(files: list[tuple[str, bytes]], side: int) -> tuple[Tensor, tuple[str, ...]]:
    """The pictures, decoded once for as long as they stay the same."""
    digest = hashlib.blake2b(digest_size=16)
    for name, content in files:
        digest.update(name.encode() + b"\0" + content)
    kept = st.session_state.get(_DECODED)
    if kept is None or kept[0] != digest.digest():
        with st.spinner("Reading your images…"):
            kept = (digest.digest(), upload_images(files, side, 3))
        st.session_state[_DECODED] = kept
    pictures: tuple[Tensor, tuple[str, ...]] = kept[1]
    return pictures
