"""A person's own images as a zip: checked, then kept under the digest of its content."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import IO, Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data.own import Form
from core.run.errors import SpecError
from core.text.escape import plain
from pages.features.editor.choice import key
from pages.features.frame.asking import keep_zip
from pages.features.frame.upload_budget import let_go, on_disk, size_of

MOST_BYTES = 128 << 20
MOST_WAITING = 8  # zips on the server's disk that are not read yet
_LAST = "augury.upload"  # what became of this visit's last upload

_waiting: weakref.WeakSet[_Zip] = weakref.WeakSet()


@dataclass(eq=False, slots=True, weakref_slot=True)
class _Zip:
    """An upload of this visit. Its content lies in a file that is gone when this is."""

    file_id: str
    content: IO[bytes] | None
    told: dict[str, Any] | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An upload's name, the form that suits its images, and whether it has just come."""

    path: str
    form: Form
    is_new: bool


def upload_box(has_images: bool) -> Uploaded | None:
    """Let a person upload a zip; None while there is none that can be read.

    Args:
        has_images: whether there are some from before.
    """
    file = st.file_uploader(
        "Zip of one folder a class",
        type=["zip", "npz"],
        key=key("data", "upload"),
        max_upload_size=MOST_BYTES >> 20,
        help="PNG, JPEG, WebP, BMP, GIF or TIFF. Folder names become class names; train/ and val/ are a "
        "split; a labels.csv beside the images and NumPy's .npz of x and y work too. Checked before it is "
        "kept.",
    )
    st.caption("Whoever opens this server may see the images of a run that trains on them.")
    if file is None:
        if has_images:
            st.caption("Your images are here. Another zip takes their place.")
        else:
            st.caption("Upload a zip: `cats/1.jpg`, `cats/2.jpg`, `dogs/1.jpg`, …")
        return None
    last: _Zip | None = st.session_state.get(_LAST)
    is_new = last is None or last.file_id != file.file_id
    try:
        if last is None or is_new:
            last = st.session_state[_LAST] = _taken(file)
        if last.content is not None:
            with st.spinner("Reading every image…", show_time=True):
                last.told = keep_zip(last.content.name)
            is_new, last.content = True, None
    except SpecError as error:
        if last is None or last.file_id != file.file_id:  # it stays with the browser, to be tried again
            st.error(plain(error.what), icon=":material/folder_off:")
            return None
        last.refusal, last.content = error.what, None
    if last.told is None:
        st.error(plain(last.refusal), icon=":material/folder_off:")
        return None
    form = Form(*(last.told[name] for name in Form._fields))
    return Uploaded(last.told["path"], form, is_new)


def _taken(file: UploadedFile) -> _Zip:
    """The upload, and where its content waits to be read; it is no longer among those that may be dropped."""
    if size_of(file) > MOST_BYTES:  # the browser's own limit holds for browsers
        let_go(file)
        return _Zip(file.file_id, None, refusal=f"The zip is larger than {MOST_BYTES >> 20} MB.")
    if sum(each.content is not None for each in _waiting) >= MOST_WAITING:
        raise SpecError("data.path", "Many zips are being read at this moment; change anything to try again.")
    made = _Zip(file.file_id, on_disk(file))
    let_go(file)
    _waiting.add(made)
    return made
