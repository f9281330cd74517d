"""A person's own images as a zip: checked, then kept under the digest of its content."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.run.errors import SpecError
from core.text.escape import plain
from pages.features.editor.choice import key
from pages.features.frame.asking import keep_zip

MOST_BYTES = 64 << 20
_KEPT = "augury.upload"


def upload_box(path: str | None) -> str | None:
    """Let a person upload a zip; returns the path under which it is kept, or ``path`` if none came."""
    file = st.file_uploader(
        "Zip of one folder a class",
        type="zip",
        key=key("data", "upload"),
        max_upload_size=MOST_BYTES >> 20,
        help="PNG, JPEG, WebP or BMP. Folder names become class names. Checked before it is kept. "
        "Whoever opens this server may see the images of a run that trains on them.",
    )
    if file is None:
        if path is None:
            st.caption("Upload a zip: `cats/1.jpg`, `cats/2.jpg`, `dogs/1.jpg`, …")
        return path
    kept = st.session_state.get(_KEPT)
    if kept is None or kept[0] != file.file_id:
        try:
            with st.spinner("Reading every image…"):
                kept = (file.file_id, keep_zip(_content(file)))
        except SpecError as error:
            st.error(plain(error.what), icon=":material/folder_off:")
            return path
        st.session_state[_KEPT] = kept
    return str(kept[1])


def _content(file: UploadedFile) -> bytes:
    if file.size > MOST_BYTES:  # the browser's own limit holds for browsers
        raise SpecError("data.path", f"the zip is larger than {MOST_BYTES >> 20} MB.")
    return file.getvalue()
