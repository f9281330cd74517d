"""What a page needs at once and the web server does not compute: asked of the interactive worker, and of
those that decode visitors' files."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st
from pydantic import BaseModel

from core.interactive.client import (
    TIMEOUT,
    Answer,
    Interactive,
    shared_decoder,
    shared_interactive,
    shared_slow,
)
from core.interactive.errors import (
    MissingDatasetError,
    MissingPicturesError,
    NoAnswerError,
    OvertakenError,
)
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import place, visitor

UPLOAD_SECONDS = 60.0  # for a zip of the largest size to be read
SLOW_KINDS = {"predictions"}  # a large network takes seconds for all of its validation images
QUICK_OPS = 16  # enabled operations of a pipeline; the slowest take 0.2 s each on 16 photographs
TRIES = 3  # to give the worker what it misses
_SENT = "augury.sent"  # {digest: (pixels, side)} of this visit's own pictures, while they are shown


def ask(kind: str, *, slot: str | None = None, in_callback: bool = False, **args: Any) -> Answer:
    """Wait for the worker's answer, see `core.interactive.answers`; nobody writes into it.

    Where a newer run of this visit's page waits already, this one ends here.

    Args:
        slot: what is asked about; a newer question about the same drops the older. By default the kind.
        in_callback: ask to the end: what a callback has begun must not be left half done.
        args: specs and their parts are sent as JSON.

    Raises:
        SpecError: what was asked can't be done, or the worker ended or took too long.
    """
    plain = {
        name: each.model_dump(mode="json") if isinstance(each, BaseModel) else each
        for name, each in args.items()
    }
    worker = shared_slow() if kind in SLOW_KINDS or _is_slow(plain) else shared_interactive()
    if worker.wait_ready(0):
        return _answer(worker, kind, plain, slot, in_callback)
    with st.spinner("Starting PyTorch and Kornia…"):
        return _answer(worker, kind, plain, slot, in_callback)


def send_picture(name: str, content: bytes, side: int) -> tuple[str | None, str]:
    """Have one of the visitor's own pictures decoded: its digest, or None and why it is none."""
    told = _once(
        "picture",
        {"name": name, "content": base64.b64encode(content).decode(), "side": side},
        slot=f"picture {name}",
        keep=False,
        worker=shared_decoder("pictures"),
    )
    if told["pixels"] is None:
        return None, told["refusal"]
    return _remember(shared_interactive(), told["pixels"], side), ""


def keep_zip(path: str) -> Answer:
    """Have a zip of images checked and kept: its ``path`` among the uploads, and the form that suits them.
    Those that a job in the queue needs don't make room for it.

    Raises:
        SpecError: it is refused, or too large to be read in time.
    """
    args = {"path": path, "in_use": sorted(jobs().uploads_in_use()), "place": place()}
    return _once("upload", args, None, keep=False, timeout=UPLOAD_SECONDS, worker=shared_decoder("datasets"))


def import_archive(path: str) -> Answer:
    """Have an archive checked and its runs put into the store, to the end: which runs those are here.

    Raises:
        SpecError: it is refused, or there is no room for it; then nothing has changed.
    """
    jobs().check_import(visitor())
    told = _once(
        "archive",
        {"path": path, "visitor": visitor()},
        f"archive {path}",
        keep=False,
        in_callback=True,
        timeout=UPLOAD_SECONDS,
        worker=shared_decoder("datasets"),
    )
    jobs().imported([run["id"] for run in told["runs"]])
    return told


def forget_pictures(but: tuple[str, ...]) -> None:
    """Let go of the visitor's own pictures that are shown no more."""
    sent = pictures_sent()
    for digest in set(sent) - set(but):
        del sent[digest]


def pictures_sent() -> dict[str, tuple[str, int]]:
    """The visitor's own pictures that are shown: by digest their pixels in base64, and their side."""
    found: dict[str, tuple[str, int]] = st.session_state.setdefault(_SENT, {})
    return found


def _is_slow(args: Mapping[str, Any]) -> bool:
    """Whether a question's pipeline is so long that nobody else should wait for it."""
    augment = args.get("augment") or (args.get("spec") or {}).get("augment") or {}
    return sum(op["enabled"] for op in augment.get("ops", ())) > QUICK_OPS


def _answer(
    worker: Interactive, kind: str, args: dict[str, Any], slot: str | None, in_callback: bool
) -> Answer:
    for _ in range(TRIES):
        try:
            return _once(kind, args, slot, in_callback=in_callback, worker=worker)
        except MissingPicturesError as missing:  # the worker is a new one
            _send_again(worker, missing.digests)
        except MissingDatasetError as missing:
            _once(
                "dataset",
                {"data": missing.data},
                None,
                keep=False,
                in_callback=in_callback,
                timeout=UPLOAD_SECONDS,
                worker=shared_decoder("datasets"),
            )
    raise NoAnswerError("These images were read but could not be kept; is the server's disk full?")


def _send_again(worker: Interactive, digests: Collection[str]) -> None:
    sent = pictures_sent()
    for digest in digests:
        if digest not in sent:
            raise NoAnswerError("Your pictures are no longer here; choose them again.")
        _remember(worker, *sent[digest])


def _remember(worker: Interactive, pixels: str, side: int) -> str:
    """Tell a worker, and this visit, of a picture that was decoded; its digest."""
    args = {"pixels": pixels, "side": side}
    digest: str = _once("remember", args, f"remember {len(pixels)}", keep=False, worker=worker)["digest"]
    pictures_sent()[digest] = (pixels, side)
    return digest


def _once(
    kind: str,
    args: dict[str, Any],
    slot: str | None,
    *,
    keep: bool = True,
    in_callback: bool = False,
    timeout: float = TIMEOUT,
    worker: Interactive,
) -> Answer:
    try:
        return worker.ask(
            visitor(),
            kind,
            args,
            slot=slot,
            keep=keep,
            timeout=timeout,
            meanwhile=(lambda: None) if in_callback else _let_a_newer_run_begin,
        )
    except OvertakenError:
        st.stop()


def _let_a_newer_run_begin() -> None:
    """Streamlit ends a script for a newer run of it where it touches the session's state, among others."""
    _ = _SENT in st.session_state
