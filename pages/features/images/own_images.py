"""A person's own pictures: uploaded, pasted or taken with the camera; in memory for this visit only."""

from __future__ import annotations

import hashlib

import streamlit as st

from core.text.escape import plain
from pages.components.paste import paste_images
from pages.features.frame.asking import forget_pictures, send_picture

MOST = 16
_PASTED, _DECODED = "augury.pasted", "augury.decoded"


def own_images(side: int) -> tuple[str, ...]:
    """The digests of what a person gave so far, as the interactive worker knows them.

    A sentence says of each bad file what is wrong with it; the good ones are still shown.
    """
    files = [(file.name, file.getvalue()) for file in _uploader()]
    files += [(f"pasted picture {i + 1}", content) for i, content in enumerate(_pasted())]
    files += [("camera picture", photo) for photo in _camera()]
    st.caption("Yours stay in memory for this visit only, never on disk.")
    if not files:
        st.caption("Until you choose some, you see the photographs.")
        return ()
    if len(files) > MOST:
        st.caption(f"The first {MOST} of {len(files)} are shown.")
    digests, refusals = _decoded(files[:MOST], side)
    for refusal in refusals:
        st.warning(plain(refusal), icon=":material/broken_image:")
    return digests


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


def _decoded(files: list[tuple[str, bytes]], side: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The good ones' digests and what is wrong with the others; each is sent once."""
    known: dict[bytes, tuple[str | None, str]] = st.session_state.get(_DECODED, {})
    told = {}
    with st.spinner("Reading your images…"):
        for name, content in files:
            key = hashlib.blake2b(name.encode() + b"\0" + content).digest()
            told[key] = known[key] if key in known else send_picture(name, content, side)
    st.session_state[_DECODED] = told
    digests = tuple(digest for digest, _ in told.values() if digest is not None)
    forget_pictures(but=digests)
    return digests, tuple(refusal for _, refusal in told.values() if refusal)
