"""What a page needs at once and the web server does not compute: asked of the interactive worker, and of
those that decode visitors' files."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import streamlit as st
from pydantic import BaseModel

from core.interactive.client import TIMEOUT, Answer, Interactive, shared_decoder, shared_interactive
from core.interactive.errors import (
    MissingDatasetError,
    MissingPicturesError,
    NoAnswerError,
    OvertakenError,
)
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import place, visitor

UPLOAD_SECONDS = 60.0  # for a zip of the largest size to be read
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
    if shared_interactive().wait_ready(0):
        return _answer(kind, args, slot, in_callback)
    with st.spinner("Starting PyTorch and Kornia…"):
        return _answer(kind, args, slot, in_callback)


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
    return _remember(told["pixels"], side), ""


def keep_zip(content: bytes) -> str:
    """Have a zip of images checked and kept: its name among the uploads. Those that a job in the queue needs
    don't make room for it.

    Raises:
        SpecError: it is refused, or too large to be read in time.
    """
    with tempfile.TemporaryDirectory(prefix="augury-") as folder:  # nobody else can read it
        file = Path(folder) / "images.zip"
        file.write_bytes(content)
        args = {"path": str(file), "in_use": sorted(jobs().uploads_in_use()), "place": place()}
        told = _once(
            "upload",
            args,
            None,
            keep=False,
            timeout=UPLOAD_SECONDS,
            worker=shared_decoder("datasets"),
        )
    path: str = told["path"]
    return path


def forget_pictures(but: tuple[str, ...]) -> None:
    """Let go of the visitor's own pictures that are shown no more."""
    sent = st.session_state.get(_SENT, {})
    for digest in set(sent) - set(but):
        del sent[digest]


def _answer(kind: str, args: dict[str, Any], slot: str | None, in_callback: bool) -> Answer:
    plain = {
        name: each.model_dump(mode="json") if isinstance(each, BaseModel) else each
        for name, each in args.items()
    }
    for _ in range(TRIES):
        try:
            return _once(kind, plain, slot, in_callback=in_callback)
        except MissingPicturesError as missing:  # the worker is a new one
            _send_again(missing.digests)
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


def _send_again(digests: Collection[str]) -> None:
    sent = st.session_state.get(_SENT, {})
    for digest in digests:
        if digest not in sent:
            raise NoAnswerError("Your pictures are no longer here; choose them again.")
        _remember(*sent[digest])


def _remember(pixels: str, side: int) -> str:
    """Tell the interactive worker, and this visit, of a picture that was decoded; its digest."""
    digest: str = _once("remember", {"pixels": pixels, "side": side}, f"remember {len(pixels)}", keep=False)[
        "digest"
    ]
    st.session_state.setdefault(_SENT, {})[digest] = (pixels, side)
    return digest


def _once(
    kind: str,
    args: dict[str, Any],
    slot: str | None,
    *,
    keep: bool = True,
    in_callback: bool = False,
    timeout: float = TIMEOUT,
    worker: Interactive | None = None,
) -> Answer:
    try:
        return (worker or shared_interactive()).ask(
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
