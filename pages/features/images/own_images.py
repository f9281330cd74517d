"""A person's own pictures: uploaded, pasted or taken with the camera; in memory only, never on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data.images import clean
from core.text.escape import plain
from pages.components.paste import paste_images
from pages.features.frame.asking import forget_pictures, pictures_sent, send_picture
from pages.features.frame.upload_budget import content_of, let_go, size_of
from pages.features.images.after_reload import TABS, Pictures, name_of_tab

MOST = 16
MOST_BYTES = 10 << 20  # of one file
MOST_GIVEN = 64  # files that are read, good or bad
_GIVEN, _UPLOADS = "augury.given", "augury.uploads"
_RESTORED = "augury.restored"  # the tab whose pictures are here again

Told = tuple[str | None, str]  # a picture's digest, or why it is none


def own_images(side: int) -> tuple[str, ...]:
    """The digests of what a person gave so far, as the interactive worker knows them; they live on when he
    goes to another page and comes back.

    A sentence says of each bad file what is wrong with it; the good ones are still shown. Each file is read
    once: what is kept of it is its picture, not its bytes.
    """
    given: dict[str, Told] = st.session_state.setdefault(_GIVEN, {})
    tab = name_of_tab()
    if tab and st.session_state.get(_RESTORED) != tab:  # the page was loaded again
        st.session_state[_RESTORED] = tab
        if kept := TABS.get(tab):
            given.update(kept.given)
            pictures_sent().update(kept.sent)
    _take(_uploader(), given, side)
    for file in _camera():
        if file.file_id not in given:
            given[file.file_id] = _read(file, side)
    _paste(given, side)
    st.caption("Yours stay in memory for this tab only, never on disk, and 5 minutes after it is closed.")
    digests = tuple(dict.fromkeys(digest for digest, _ in given.values() if digest is not None))
    for _, refusal in given.values():
        if refusal:
            st.warning(plain(refusal), icon=":material/broken_image:")
    if given:
        count = f"{len(given)} {'picture' if len(given) == 1 else 'pictures'}"
        st.button(f"Forget {count}", icon=":material/close:", type="tertiary", on_click=given.clear)
    else:
        st.caption("Until you choose some, you see the photographs.")
    if len(digests) > MOST:
        st.caption(f"The first {MOST} of {len(digests)} are shown.")
    digests = digests[:MOST]
    forget_pictures(but=digests)
    if tab:
        TABS.keep(tab, Pictures(dict(given), dict(pictures_sent())))
    return digests


def _uploader() -> list[UploadedFile]:
    """What was just chosen: its list is empty again once that is read."""
    return st.file_uploader(
        "Your images",
        type=["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"],
        accept_multiple_files=True,
        max_upload_size=MOST_BYTES >> 20,
        key=f"augment.uploads.{st.session_state.setdefault(_UPLOADS, 0)}",
        help=f"PNG, JPEG, WebP, BMP, GIF or TIFF, up to {MOST} of at most {MOST_BYTES >> 20} MB each.",
    )


def _take(files: Sequence[UploadedFile], given: dict[str, Told], side: int) -> None:
    if not files:
        return
    with st.spinner("Reading your images…"):
        for file in files[: MOST_GIVEN - len(given)]:
            if file.file_id not in given:
                given[file.file_id] = _read(file, side)
    st.session_state[_UPLOADS] += 1
    st.rerun()


def _paste(given: dict[str, Told], side: int) -> None:
    new = paste_images(key="augment.paste")
    if new is None:
        return
    for content in new.images[: MOST_GIVEN - len(given)]:
        digest = hashlib.sha256(content).hexdigest()
        if digest not in given:
            given[digest] = send_picture(f"pasted picture {len(given) + 1}", content, side)
    for refusal in new.refused:
        st.warning(plain(refusal), icon=":material/content_paste_off:")


def _camera() -> list[UploadedFile]:
    box = st.expander("Camera", icon=":material/photo_camera:", key="augment.camera", on_change="rerun")
    with box:
        if not box.open:  # a camera that is not asked for is not switched on
            return []
        photo = st.camera_input("Take a picture", key="augment.photo", label_visibility="collapsed")
    return [photo] if photo else []


def _read(file: UploadedFile, side: int) -> Told:
    if size_of(file) > MOST_BYTES:  # the browser's own limit holds for browsers
        told: Told = None, f"{clean(file.name)} is larger than {MOST_BYTES >> 20} MB."
    else:
        told = send_picture(file.name, content_of(file), side)
    let_go(file)
    return told
