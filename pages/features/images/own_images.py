"""A person's own pictures: uploaded, pasted or taken with the camera; in memory for this visit only."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data.images import clean
from core.text.escape import plain
from pages.components.paste import paste_images
from pages.features.frame.asking import forget_pictures, send_picture

MOST = 16
MOST_BYTES = 10 << 20  # of one file
_PASTED, _DECODED = "augury.pasted", "augury.decoded"

Told = tuple[str | None, str]  # a picture's digest, or why it is none


def own_images(side: int) -> tuple[str, ...]:
    """The digests of what a person gave so far, as the interactive worker knows them.

    A sentence says of each bad file what is wrong with it; the good ones are still shown. Each file is read
    once: what is kept of it is its picture, not its bytes.
    """
    files = _uploader() + _camera()
    pasted = _pasted(side)
    st.caption("Yours stay in memory for this visit only, never on disk.")
    if not files and not pasted:
        st.caption("Until you choose some, you see the photographs.")
        return ()
    if len(files) + len(pasted) > MOST:
        st.caption(f"The first {MOST} of {len(files) + len(pasted)} are shown.")
    told = [*_decoded(files[:MOST], side), *pasted][:MOST]
    for _, refusal in told:
        if refusal:
            st.warning(plain(refusal), icon=":material/broken_image:")
    digests = tuple(dict.fromkeys(digest for digest, _ in told if digest is not None))
    forget_pictures(but=digests)
    return digests


def _uploader() -> list[UploadedFile]:
    return st.file_uploader(
        "Your images",
        type=["png", "jpg", "jpeg", "webp", "bmp"],
        accept_multiple_files=True,
        max_upload_size=MOST_BYTES >> 20,
        key="augment.uploads",
        help=f"PNG, JPEG, WebP or BMP, up to {MOST} of at most {MOST_BYTES >> 20} MB each.",
    )


def _pasted(side: int) -> list[Told]:
    kept: list[Told] = st.session_state.setdefault(_PASTED, [])
    new = paste_images(key="augment.paste")
    if new is not None:
        for i, content in enumerate(new.images[: MOST - len(kept)]):
            told = send_picture(f"pasted picture {len(kept) + i + 1}", content, side)
            if told not in kept:
                kept.append(told)
        for refusal in new.refused:
            st.warning(plain(refusal), icon=":material/content_paste_off:")
    if kept:
        count = f"{len(kept)} pasted {'picture' if len(kept) == 1 else 'pictures'}"
        st.button(f"Forget {count}", icon=":material/close:", type="tertiary", on_click=kept.clear)
    return kept


def _camera() -> list[UploadedFile]:
    box = st.expander("Camera", icon=":material/photo_camera:", key="augment.camera", on_change="rerun")
    with box:
        if not box.open:  # a camera that is not asked for is not switched on
            return []
        photo = st.camera_input("Take a picture", key="augment.photo", label_visibility="collapsed")
    return [photo] if photo else []


def _decoded(files: Sequence[UploadedFile], side: int) -> list[Told]:
    """What became of each file; each is sent once."""
    known: dict[str, Told] = st.session_state.get(_DECODED, {})
    told = {}
    with st.spinner("Reading your images…"):
        for file in files:
            told[file.file_id] = known.get(file.file_id) or _read(file, side)
    st.session_state[_DECODED] = told
    return list(told.values())


def _read(file: UploadedFile, side: int) -> Told:
    if file.size > MOST_BYTES:  # the browser's own limit holds for browsers
        return None, f"{clean(file.name)} is larger than {MOST_BYTES >> 20} MB."
    return send_picture(file.name, file.getvalue(), side)
