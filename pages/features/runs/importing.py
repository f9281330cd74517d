"""Runs out of an archive that somebody gives: read in a process of its own, and marked as what they are."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.jobs.views import RunView
from core.run.checkpoints import START
from core.run.errors import SpecError
from core.store.store import run_folder
from core.text.describe import title
from core.text.escape import plain
from pages.features.frame.asking import import_archive
from pages.features.frame.setup import jobs
from pages.features.frame.upload_budget import let_go, on_disk, size_of
from pages.features.frame.when import when
from pages.features.runs.comparison import FEWEST, NAME

MOST_BYTES = 128 << 20
MOST_READ = 8  # archives that wait to be read at a time: each lies on the server's disk
_LAST = "augury.import"  # what became of this visit's last archive

_reading = threading.BoundedSemaphore(MOST_READ)


@dataclass(frozen=True, slots=True)
class _Told:
    """What became of an archive. A refusal is empty if it was read."""

    file_id: str
    runs: tuple[dict[str, Any], ...] = ()
    refusal: str = ""


def import_box() -> None:
    """Let a person give an archive; then offer the runs that it holds."""
    with st.popover("Import", icon=":material/upload_file:"):
        file = st.file_uploader(
            "An archive of runs",
            type=["zip"],
            key="runs.import",
            max_upload_size=MOST_BYTES >> 20,
            help="What “archive” under Take away wrote, here or on another server: `.augury.zip`. It is "
            "checked before anything of it is kept.",
        )
        if file is None:
            st.caption(
                "A run comes back as it was, marked as imported. Whoever opens this server may see it."
            )
            return
        told = st.session_state.get(_LAST)
        if told is None or told.file_id != file.file_id:
            if not _reading.acquire(blocking=False):
                st.error("Many archives are being read now. Change anything to try again.")
                return
            try:
                with st.spinner("Checking the archive…", show_time=True):
                    told = st.session_state[_LAST] = _read(file)
            finally:
                _reading.release()
        if told.refusal:
            st.error(plain(told.refusal), icon=":material/folder_off:")
        _offer(told)


def imported_note(view: RunView) -> None:
    """On the page of a run that came from an archive: that its figures were not computed here."""
    if view.imported_at is not None:
        st.info(
            f"Imported ({plain(when(view.imported_at))}): these figures are an archive's, not computed on "
            "this server.",
            icon=":material/upload_file:",
        )
        if (view.history.started or {}).get("begins_at") and not (run_folder(view.id) / START).is_file():
            st.info(
                "It is a branch, and an archive does not bring the checkpoint that a branch begins at. So no "
                "script and no notebook can be made of it here; all else can be taken away.",
                icon=":material/call_split:",
            )


def _read(file: UploadedFile) -> _Told:
    if size_of(file) > MOST_BYTES:  # the browser's own limit holds for browsers
        let_go(file)
        return _Told(file.file_id, refusal=f"The archive is larger than {MOST_BYTES >> 20} MB.")
    content = on_disk(file)
    let_go(file)
    try:
        return _Told(file.file_id, tuple(import_archive(content.name)["runs"]))
    except SpecError as error:
        return _Told(file.file_id, refusal=error.what[:1].upper() + error.what[1:])
    finally:
        content.close()  # with that the file is gone


def _offer(told: _Told) -> None:
    views = [(run, view) for run in told.runs if (view := jobs().view(run["id"]))]
    for run, view in views:
        said = "imported" if run["is_new"] else "here already, as it was"
        if run["is_new"] and run["was"] != run["id"]:
            said = "imported under a fresh number: another run has its own here"
        st.page_link(
            "pages/2_Train.py",
            label=f"{plain(title(view.spec))} ({said})",
            icon=":material/check_circle:",
            query_params={"run": view.id},
        )
    if len(views) >= FEWEST:
        st.page_link(
            "pages/3_Runs.py",
            label=f"Compare {len(views)} runs",
            icon=":material/stacked_line_chart:",
            query_params={NAME: ",".join(view.id for _, view in views)},
        )
