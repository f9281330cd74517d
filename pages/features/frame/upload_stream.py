"""What a browser uploads goes to the disk as it comes. Streamlit's own handler would read all of it into
memory; it gets the same form with an empty file, and checks who sends it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import aclosing
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, NamedTuple

from starlette.datastructures import MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from streamlit import config, runtime

from core.home import home

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRAMING_BYTES = 64 << 10  # of a form, beside its file
PATH = "/_stcore/upload_file/"
_BOUNDARY = "augury"
_EMPTY = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
    f"Content-Type: application/octet-stream\r\n\r\n\r\n--{_BOUNDARY}--\r\n"
).encode()


class Arrived(NamedTuple):
    """A file that lies on the disk whole, and what its browser calls it."""

    file: IO[bytes]
    size: int
    name: str
    media_type: str


ARRIVED: ContextVar[Arrived | None] = ContextVar("arrived", default=None)


class UploadsToDisk:
    """Takes the file out of each upload before ``app`` sees it; while that runs it is in `ARRIVED`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_upload(scope):
            await self._app(scope, receive, send)
            return
        try:
            arrived = await _arrived(scope, receive)
        except HTTPException as error:
            await PlainTextResponse(error.detail, error.status_code)(scope, receive, send)
            return
        token = ARRIVED.set(arrived)
        try:
            await self._app(_with_empty_form(scope), _once(_EMPTY), send)
        finally:
            ARRIVED.reset(token)


def _is_upload(scope: Scope) -> bool:
    """Whether it is one of an open session; what else it may be is refused by Streamlit, unread."""
    if scope["type"] != "http" or scope["method"] != "PUT" or PATH not in scope["path"]:
        return False
    session_id = scope["path"].partition(PATH)[2].split("/")[0]
    return runtime.exists() and runtime.get_instance().is_active_session(session_id)


async def _arrived(scope: Scope, receive: Receive) -> Arrived:
    """
    Raises:
        HTTPException: it is too large, or no form with one file.
        ClientDisconnect: the browser has gone.
    """
    most = int(config.get_option("server.maxUploadSize")) << 20
    said = Request(scope).headers.get("content-length", "")
    if said.isdecimal() and int(said) > most + FRAMING_BYTES:
        raise HTTPException(413, "File too large")
    taken = 0
    # Starlette's stream raises where a browser goes in mid-form; its parser would take that for the end.
    async with aclosing(Request(scope, receive).stream()) as chunks:

        async def bounded() -> Message:
            nonlocal taken
            chunk = await anext(chunks, None)
            taken += len(chunk or b"")
            if taken > most + FRAMING_BYTES:
                raise HTTPException(413, "File too large")
            return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

        async with Request({**scope, "app": None}, bounded).form(max_files=1, max_fields=8) as form:
            found = [value for value in form.values() if isinstance(value, UploadFile)]
            if len(found) != 1:
                raise HTTPException(400, f"Expected 1 file, but got {len(found)}")
            if (found[0].size or 0) > most:
                raise HTTPException(413, "File too large")
            return await asyncio.to_thread(_on_disk, found[0])


def _on_disk(upload: UploadFile) -> Arrived:
    folder = home() / "uploads"  # what is left there by a server that was killed is removed
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = tempfile.NamedTemporaryFile(dir=folder)  # noqa: SIM115  0600; gone once nobody holds it
    upload.file.seek(0)
    shutil.copyfileobj(upload.file, file, 1 << 20)
    file.flush()
    media_type = upload.content_type or "application/octet-stream"
    return Arrived(file, upload.size or 0, upload.filename or "", media_type)


def _with_empty_form(scope: Scope) -> Scope:
    copy = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=copy)
    headers["content-type"] = f"multipart/form-data; boundary={_BOUNDARY}"
    headers["content-length"] = str(len(_EMPTY))
    if "transfer-encoding" in headers:
        del headers["transfer-encoding"]
    return copy


def _once(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive
