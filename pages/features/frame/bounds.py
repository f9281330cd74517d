"""What browsers may send: how large, how often, how many at once. It is counted before Streamlit reads a
byte, for what one script sends in a second would keep the server busy for ten.

Whoever sends faster waits: his messages are read later, nobody else's. A browser's own pace is far below.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from pages.features.frame.visitor import HERE, place_of_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MESSAGE_BYTES = 4 << 20  # of one message: all of a page's widgets; pasted pictures are scaled before
LARGE_BYTES = 64 << 10  # a message above it counts in …
HELD_BYTES = 64 << 20  # … what all open sessions may hold: Streamlit keeps the last message of each
WIDGETS = 2_000  # in one message
FILE_URLS = 64  # asked for at once: Streamlit makes them on the thread that serves everybody
SOCKETS = 600
PLACE_SOCKETS = 120  # a school's class may come from one address
SOCKET_RATE, SOCKET_BURST = 3.0, 30  # messages a second, and how many at once before that
PLACE_RATE, PLACE_BURST = 30.0, 300  # of all sockets of a place but this machine's own
MOST_PLACES = 1_000  # whose pace is remembered
UPLOADS, PLACE_UPLOADS = 8, 3  # at once
CHUNK_SECONDS = 20.0  # that a browser may take to send the next piece of a file
TOO_LARGE, NOT_ALLOWED, TRY_LATER = 1009, 1008, 1013  # a socket's close codes, RFC 6455
OTHER_NAME = (
    "Augury does not answer to this name. Open it by the link that its owner shares, or have it started for "
    "this name, as `make class HOST=...` does."
)


class Pace:
    """A bucket of tokens: `take` waits until there is one."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = float(burst), time.monotonic()

    async def take(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)


class Bounds:
    """Lets through to ``app`` what is within them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sockets: defaultdict[str, int] = defaultdict(int)  # open ones, by place
        self._paces: OrderedDict[str, Pace] = OrderedDict()  # by place, also of those that have gone
        self._uploads: defaultdict[str, int] = defaultdict(int)
        self._upload_ended = asyncio.Condition()
        self._held: dict[object, int] = {}  # bytes of the largest message of each open socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if _is_foreign(Headers(scope=scope)):
                await receive()  # that it would connect
                await send({"type": "websocket.close", "code": NOT_ALLOWED})
            else:
                await self._socket(scope, receive, send)
        elif scope["type"] == "http" and not is_host_allowed(Headers(scope=scope).get("host")):
            await PlainTextResponse(OTHER_NAME, 403)(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "PUT" and "/upload_file/" in scope["path"]:
            await self._upload(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = place_of_address((scope.get("client") or ("",))[0])
        full = place != HERE and self._sockets.get(place, 0) >= PLACE_SOCKETS
        if full or sum(self._sockets.values()) >= SOCKETS:
            await receive()  # that it would connect
            await send({"type": "websocket.close", "code": TRY_LATER})
            return
        self._sockets[place] += 1
        socket = object()
        paces = [Pace(SOCKET_RATE, SOCKET_BURST)]
        if place != HERE:
            paces.append(self._pace_of(place))

        async def within() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                for pace in paces:
                    await pace.take()
                if code := self._refused(socket, message.get("bytes") or b""):
                    with suppress(Exception):  # it may have closed meanwhile
                        await send({"type": "websocket.close", "code": code})
                    return {"type": "websocket.disconnect", "code": code}
            return message

        try:
            await self._app(scope, within, send)
        finally:
            self._held.pop(socket, None)
            self._sockets[place] -= 1
            if not self._sockets[place]:
                del self._sockets[place]

    def _pace_of(self, place: str) -> Pace:
        """One that outlives its sockets: who closes all and comes again has no new burst."""
        pace = self._paces.setdefault(place, Pace(PLACE_RATE, PLACE_BURST))
        self._paces.move_to_end(place)
        if len(self._paces) > MOST_PLACES:
            self._paces.popitem(last=False)
        return pace

    def _refused(self, socket: object, content: bytes) -> int:
        """The code with which to close the socket that sends ``content``; 0: it is within bounds."""
        if len(content) > MESSAGE_BYTES:
            return TOO_LARGE
        if len(content) > LARGE_BYTES:
            others = sum(size for each, size in self._held.items() if each is not socket)
            if others + len(content) > HELD_BYTES:
                return TRY_LATER
            self._held[socket] = max(len(content), self._held.get(socket, 0))
        return 0 if _is_a_browsers(content) else NOT_ALLOWED

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time() -> Message:
            try:
                return await asyncio.wait_for(receive(), CHUNK_SECONDS)
            except TimeoutError:
                return {"type": "http.disconnect"}

        async with self._turn(place_of_address((scope.get("client") or ("",))[0])):
            with suppress(ClientDisconnect):
                await self._app(scope, in_time, send)

    @asynccontextmanager
    async def _turn(self, place: str) -> AsyncIterator[None]:
        """Inside, a place is one of `UPLOADS`; it waits outside."""
        async with self._upload_ended:
            await self._upload_ended.wait_for(
                lambda: sum(self._uploads.values()) < UPLOADS and self._uploads[place] < PLACE_UPLOADS
            )
            self._uploads[place] += 1
        try:
            yield
        finally:
            async with self._upload_ended:
                self._uploads[place] -= 1
                if not self._uploads[place]:
                    del self._uploads[place]
                self._upload_ended.notify_all()


def _is_foreign(headers: Headers) -> bool:
    """Whether a page of another host asks. Streamlit would look up this machine's public address to tell, on
    the thread that serves everybody. A proxy may leave the port out of the Host."""
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is None:
        return False
    try:
        parsed = urlsplit(origin)
    except ValueError:
        return True
    return parsed.netloc != host and parsed.hostname != host


def _is_a_browsers(content: bytes) -> bool:
    """Whether a message asks for no more than a page does."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    message = BackMsg()
    try:
        message.ParseFromString(content)
    except Exception:  # Streamlit says what it thinks of it
        return True
    kind = message.WhichOneof("type")
    if kind == "file_urls_request":
        return len(message.file_urls_request.file_names) <= FILE_URLS
    if kind == "rerun_script":
        return len(message.rerun_script.widget_states.widgets) <= WIDGETS
    return True
