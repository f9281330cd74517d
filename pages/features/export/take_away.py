"""What a run, or several beside each other, can be taken away as: make a file, then download it.

A file is made by a job, so the server of the pages needs neither torch nor a minute for it. Whoever asks for
the same file of the same runs finds it made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import streamlit as st

from core.catalogues import filled
from core.export.catalogue import COMMAND, EXPORTS, MOST_RUNS, Export, Question
from core.export.job import MOST_TEXT
from core.export.measured import TABLE, Measured
from core.jobs.views import RunView
from core.run.spec import RunSpec
from core.store.artefacts import Artefact
from core.text.escape import plain
from core.text.shares import in_full
from core.transform.rows import rows_of
from pages.features.frame.downloads import artefact_address, has_weights, left_by
from pages.features.frame.job_box import job_box
from pages.features.frame.setup import jobs
from pages.features.frame.share import link_here

TEXT_HEIGHT = 110  # pixels


def take_away(views: Sequence[RunView]) -> None:
    """A row a kind of file that these runs can be taken away as, those first that a person writes for."""
    live = [view for view in views if not view.ended]
    if live:
        what = "This run goes on" if len(views) == 1 else f"Of these runs {len(live)} still go on"
        st.caption(f"{what}: files can be made after the end.")
        return
    spec = filled(views[0].spec)  # as a job is asked for and found again
    for entry in offered(views):
        with st.container(border=True, key=f"export_{entry.name}"):
            _kind(spec, views, entry)


def offered(views: Sequence[RunView]) -> Iterator[Export]:
    """The kinds of file that can tell of so many runs."""
    kinds = [entry for entry in EXPORTS.values() if len(views) == 1 or entry.several]
    if len(views) <= MOST_RUNS:
        yield from sorted(kinds, key=lambda entry: not entry.asks)


def _kind(spec: RunSpec, views: Sequence[RunView], entry: Export) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"export_head_{entry.name}"):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{entry.title}**")
            st.caption(entry.help)
        beside = st.container(width="content")
    if entry.missing:
        st.caption(f"It needs {plain(', '.join(entry.missing))}. Whoever runs this server can add it:")
        st.code(COMMAND, language=None, wrap_lines=True)
        return
    if entry.wants_weights and not all(has_weights(view.id) for view in views):
        lost = "The network is" if len(views) == 1 else "A network is"
        st.caption(f"{lost} no longer kept here: train it again.")
        return
    for asked in entry.asks:
        _field(asked, entry, views)
    inputs = _inputs(views, entry)
    if (made := _made(spec, inputs)) is None:
        # Beneath the fields that go into it, and as wide as they are while it goes.
        with st.container() if entry.asks or _is_live(spec, inputs) else beside:
            job_box(
                spec, "export", inputs, _draw, key=f"export.make.{entry.name}", label="Make",
                icon=":material/draft:", inputs_now=partial(_inputs, views, entry),
            )  # fmt: skip
        return
    job, artefact = made
    with st.container() if entry.asks else beside:
        st.link_button(
            plain(f"Download ({_size(artefact.bytes)})"),
            artefact_address(job.id),
            icon=":material/download:",
            help=plain(artefact.name),
            key=f"export.get.{entry.name}",
        )
    _measured(job)


def _measured(job: RunView) -> None:
    """What was measured of the networks in the file."""
    if found := rows_of(job.history, TABLE, Measured):
        st.dataframe(
            [
                {
                    "network": row.what,
                    "accuracy": in_full(row.accuracy, row.images),
                    "file (kB)": f"{row.bytes / 1000:,.1f}",
                    "µs, one image alone": f"{row.microseconds_alone:,.1f}",
                    "µs an image, of many": f"{row.microseconds:,.2f}",
                }
                for row in found
            ],
            hide_index=True,
        )


def _field(asked: Question, entry: Export, views: Sequence[RunView]) -> None:
    """Where a person writes; it is kept for the visit."""
    about: dict[str, Any] = {
        "key": _key(asked, entry, views),
        "max_chars": MOST_TEXT,
        "placeholder": asked.hint,
        "persist_state": "session",
    }
    if asked.lines == 1:
        st.text_input(plain(asked.label), **about)
    else:
        st.text_area(plain(asked.label), height=TEXT_HEIGHT, **about)


def _key(asked: Question, entry: Export, views: Sequence[RunView]) -> str:
    return f"export.{entry.name}.{asked.name}.{','.join(view.id[:8] for view in views)}"


def _inputs(views: Sequence[RunView], entry: Export) -> dict[str, Any]:
    """What the job of a kind is asked with, see `core.export.job.Wanted`."""
    written = {a.name: str(st.session_state.get(_key(a, entry, views), "")).strip() for a in entry.asks}
    return {
        "runs": [view.id for view in views],
        "versions": [view.version for view in views],
        "kind": entry.name,
        "text": {name: said for name, said in written.items() if said},
        "link": link_here({"run" if len(views) == 1 else "runs": ",".join(view.id for view in views)}),
    }


def _made(spec: RunSpec, inputs: dict[str, Any]) -> tuple[RunView, Artefact] | None:
    """The job that has made this file, and the file, if it is still there."""
    job = jobs().same(spec, "export", inputs)
    if job is None or job.state != "finished":
        return None
    artefact = left_by(job.id)
    return (job, artefact) if artefact else None


def _is_live(spec: RunSpec, inputs: dict[str, Any]) -> bool:
    job = jobs().same(spec, "export", inputs)
    return job is not None and not job.ended


def _draw(job: RunView) -> None:
    """Of a file that was made and is gone; or that was finished while the page was drawn."""
    if job.state != "finished":
        return
    if left_by(job.id):
        st.rerun()
    st.caption("It was made before and is no longer kept.")


def _size(count: int) -> str:
    """E.g. ``43 kB``."""
    for unit, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= of:
            return f"{count / of:.{1 if count < 10 * of else 0}f} {unit}"
    return f"{count} bytes"
