"""Seats in a classroom, without browsers: sessions of a running app, as its front end would open them.

A seat opens the websocket, runs the page, can press a button, and then re-runs every timed fragment
when it is due, as a browser's timers do. What a person in that seat waits for is the time from a
request to `script_finished`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from types import TracebackType

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

QUIET_SECONDS = 2.0  # a page without timers that has said nothing for so long has no more to say


@dataclass
class Seat:
    """One viewer of one page of the app at ``url`` (``http://…``)."""

    url: str
    page: str = ""
    query: str = ""
    buttons: dict[str, str] = field(default_factory=dict)  # label → widget id
    timers: dict[str, float] = field(default_factory=dict)  # fragment id → seconds
    errors: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # seconds, of each timed re-run
    received: int = 0  # bytes

    async def __aenter__(self) -> Seat:
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self.socket = await websockets.connect(address, max_size=None, subprotocols=["streamlit"])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()

    async def ask(self, *, fragment: str = "", press: str = "") -> float:
        """Run the page, or a fragment, or press the button with this label; returns the seconds."""
        message = BackMsg()
        request = message.rerun_script
        request.query_string, request.page_name = self.query, self.page
        if fragment:
            request.fragment_id, request.is_auto_rerun = fragment, True
        if press:
            request.widget_states.widgets.add(id=self.buttons[press], trigger_value=True)
        self._of_a_fragment = bool(fragment)
        began = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while not self._read(await asyncio.wait_for(self.socket.recv(), 10)):
            pass
        return time.perf_counter() - began

    async def watch(self, seconds: float) -> None:
        """Keep the timed fragments running for so long, or until the page stops its timers."""
        end = time.perf_counter() + seconds
        due: dict[str, float] = {}
        while (now := time.perf_counter()) < end:
            due = {fragment: due.get(fragment, now + every) for fragment, every in self.timers.items()}
            fragment, when = min(due.items(), key=lambda item: item[1], default=("", now + QUIET_SECONDS))
            if await self._listen(when - now):
                continue  # what came may have changed the timers
            if not fragment:
                return
            self.waits.append(await self.ask(fragment=fragment))
            due[fragment] = time.perf_counter() + self.timers.get(fragment, 0.0)

    async def _listen(self, seconds: float) -> bool:
        """Take in what comes unasked, a run that a fragment called for say; false once it is quiet."""
        try:
            self._read(await asyncio.wait_for(self.socket.recv(), max(seconds, 0.001)))
        except TimeoutError:
            return False
        return True

    def _read(self, raw: bytes | str) -> bool:
        """Take in one message; true if it ends a run of the script."""
        assert isinstance(raw, bytes)
        self.received += len(raw)
        message = ForwardMsg()
        message.ParseFromString(raw)
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            self.timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "new_session":
            if not self._of_a_fragment:
                self.timers.clear()  # a whole new run of the page announces its timers anew
            self._of_a_fragment = False  # the next one comes unasked: the fragment called for it
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                self.errors.append(element.exception.message[:200])
            elif element.WhichOneof("type") == "button":
                self.buttons[element.button.label] = element.button.id
        return kind == "script_finished"
