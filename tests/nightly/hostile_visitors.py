"""Visitors who mean harm to a running app, one kind each, until the time is up:

``python -m tests.nightly.hostile_visitors http://127.0.0.1:8501 KIND SECONDS``. Prints how often it tried.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import os
import random
import time
import zipfile
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import websockets
from PIL import Image, PngImagePlugin
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from core.run.address import encode
from core.run.spec import DataSpec, RunSpec

ANSWER_SECONDS = 120.0
PAGES = ("", "Augment", "Train", "Runs")


class Visit:
    """A session of the app: what its last run drew, and whatever message one wants to send."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.elements: list[tuple[str, str]] = []  # kind and widget id
        self.query = ""
        self.exceptions: list[str] = []
        self.received: list[ForwardMsg] = []

    async def __aenter__(self) -> Visit:
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self.socket = await websockets.connect(address, max_size=None, subprotocols=["streamlit"])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def send(self, message: BackMsg) -> None:
        await self.socket.send(message.SerializeToString())

    async def run(self, page: str, *states: WidgetState) -> None:
        """Run a page with these widget values, and take in all that it draws."""
        message = BackMsg()
        message.rerun_script.page_name, message.rerun_script.query_string = page, self.query
        message.rerun_script.widget_states.widgets.extend(states)
        await self.send(message)
        self.elements = []
        while (answer := await self.answer()).WhichOneof("type") != "script_finished":
            if answer.WhichOneof("type") == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            elif answer.WhichOneof("type") == "delta" and answer.delta.HasField("new_element"):
                kind = answer.delta.new_element.WhichOneof("type") or ""
                inner = getattr(answer.delta.new_element, kind)
                if kind == "exception":
                    self.exceptions.append(f"{inner.type}: {inner.message}")
                if getattr(inner, "id", ""):
                    self.elements.append((kind, inner.id))

    async def answer(self) -> ForwardMsg:
        answer = ForwardMsg()
        answer.ParseFromString(await asyncio.wait_for(self.socket.recv(), ANSWER_SECONDS))
        return answer


async def clears(url: str, _: random.Random) -> None:
    """Empties Streamlit's caches, and asks for all that a developer's browser may ask for."""
    async with Visit(url) as visit:
        await visit.run("Train")
        for what in (
            "clear_cache",
            "debug_shutdown_runtime",
            "set_run_on_save",
            "load_git_info",
            "stop_script",
        ):
            await visit.send(BackMsg(**{what: True}))
            await asyncio.sleep(0.05)


async def starts(url: str, _: random.Random) -> None:
    """Presses Start on one page after the other, far oftener than there are places in the queue."""
    async with Visit(url) as visit:
        await visit.run("Train")
        start = next(each for _, each in visit.elements if each.endswith("-start"))
        for _ in range(12):
            await visit.run("Train", WidgetState(id=start, trigger_value=True))


async def rebinds(url: str, _: random.Random) -> None:
    """Opens a websocket under a foreign name; an answer other than a refusal ends everything."""
    at, name = urlsplit(url), "rebind.evil.example"
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {name}\r\nOrigin: http://{name}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: streamlit\r\n\r\n".encode()
    )
    first = await reader.readline()
    writer.close()
    assert b"403" in first, first
    await asyncio.sleep(0.05)


def _value(kind: str, rng: random.Random) -> WidgetState:
    """A value of this kind of message, of the sort that nobody's browser would send."""
    text = rng.choice(
        ("", "x" * 100_000, "![x](http://evil.example/x.png)", "\u202e", "nan", "{}", "[[1]]", "../..")
    )
    number = rng.choice((-1, 0, 2**53, -(2**62), 7))
    state = WidgetState()
    match kind:
        case "trigger_value" | "bool_value":
            setattr(state, kind, rng.random() < 0.5)
        case "double_value":
            state.double_value = rng.choice((float("nan"), float("inf"), -1e308, 0.0, 1e-300))
        case "int_value":
            state.int_value = number
        case "string_value" | "json_value" | "json_trigger_value":
            setattr(state, kind, text)
        case "double_array_value":
            state.double_array_value.data.extend([float("nan"), 1e300] * rng.choice((1, 1000)))
        case "int_array_value":
            state.int_array_value.data.extend([number] * rng.choice((0, 1, 1000)))
        case "string_array_value":
            state.string_array_value.data.extend([text] * rng.choice((0, 1, 3)))
        case "arrow_value":
            state.arrow_value.data = rng.randbytes(200)
        case "bytes_value":
            state.bytes_value = rng.randbytes(200)
        case "file_uploader_state_value":
            state.file_uploader_state_value.uploaded_file_info.add(
                file_id=text[:1000], name=text, size=abs(number)
            )
        case "string_trigger_value":
            state.string_trigger_value.data = text
        case "chat_input_value":
            state.chat_input_value.data = text
        case other:
            raise AssertionError(f"no hostile value of the kind {other}")
    return state


VALUES = [each.name for each in WidgetState.DESCRIPTOR.fields if each.name != "id"]


async def presses(url: str, rng: random.Random) -> None:
    """Sends a widget's value of every kind to every kind of widget, and pages and fragments that are not."""
    async with Visit(url) as visit:
        page = rng.choice(PAGES)
        await visit.run(page)
        for _ in range(40):
            ids = [each for _, each in visit.elements] or [""]
            states = []
            for _ in range(rng.choice((1, 1, 5))):
                state = _value(rng.choice(VALUES), rng)
                state.id = (
                    rng.choice(ids) if rng.random() < 0.95 else rng.choice(("", "$$ID-0-x", "x" * 10_000))
                )
                states.append(state)
            visit.query = rng.choice(
                (
                    "",
                    "",
                    OWN,
                    "images=Yours",
                    "spec=%00",
                    "run=../../x",
                    "dials=%F0",
                    "hide=all&lock=1",
                    "x" * 5000,
                )
            )
            await visit.run(rng.choice((page, page, page, "No such page", "../Train")), *states)
        assert not visit.exceptions, visit.exceptions[:3]


def _encoded(image: Image.Image, form: str, **how: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **how)
    return stream.getvalue()


def _dear_files() -> list[tuple[str, bytes]]:
    """Small files that would cost a careless server a gigabyte, or a core, each."""
    dot = _encoded(Image.new("L", (1, 1)), "PNG")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(5461):
            archive.writestr(f"c{i % 2}/{i}.png", dot)
    text = PngImagePlugin.PngInfo()
    text.add_itxt("x", "y" * 10_000_000, zip=True)
    return [
        ("palette.png", _encoded(Image.new("P", (8000, 8000)), "PNG", transparency=b"\x10" * 256)),
        ("rgba.png", _encoded(Image.new("RGBA", (8000, 8000), (1, 2, 3, 128)), "PNG")),
        ("scans.jpg", _many_scans()),
        ("text.png", _encoded(Image.new("L", (9, 9)), "PNG", pnginfo=text)),
        ("tiny.zip", stream.getvalue()),
    ]


def _many_scans(side: int = 4000, repeats: int = 2000) -> bytes:
    """A progressive JPEG whose smallest scan is there 2,000 times."""
    content = _encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = content.rfind(b"\xff\xda")
    return content[:-2] + content[last:-2] * repeats + b"\xff\xd9"


def _put(url: str, place: str, name: str, content: bytes) -> None:
    with requests.Session() as session:
        session.get(urljoin(url, "/_stcore/health"), timeout=ANSWER_SECONDS)
        token = session.cookies.get("_streamlit_xsrf", "")
        files, headers = {"file": (name, content)}, {"X-Xsrftoken": token}
        session.put(place, files=files, headers=headers, timeout=ANSWER_SECONDS).raise_for_status()


OWN = urlencode({"spec": encode(RunSpec(data=DataSpec(name="folder", path="upload:" + "0" * 64)))})


async def uploads(url: str, rng: random.Random) -> None:
    """Gives every box for files a file that is dear to decode."""
    global _FILES
    _FILES = _FILES or _dear_files()
    async with Visit(url) as visit:
        name, content = rng.choice(_FILES)
        page, visit.query = ("Train", OWN) if name.endswith(".zip") else ("Augment", "images=Yours")
        await visit.run(page)
        boxes = [each for kind, each in visit.elements if kind == "file_uploader"]
        assert boxes, "the page has no box for files"
        request = BackMsg()
        request.file_urls_request.request_id = "x"
        request.file_urls_request.file_names.append(name)
        await visit.send(request)
        while (answer := await visit.answer()).WhichOneof("type") != "file_urls_response":
            pass
        urls = answer.file_urls_response.file_urls[0]
        await asyncio.to_thread(_put, url, urljoin(url, urls.upload_url), name, content)
        state = WidgetState(id=rng.choice(boxes))
        sent = state.file_uploader_state_value.uploaded_file_info.add(
            file_id=urls.file_id, name=name, size=len(content)
        )
        sent.file_urls.CopyFrom(urls)
        await visit.run(page, state)
        assert not visit.exceptions, visit.exceptions[:3]


_FILES: list[tuple[str, bytes]] = []

KINDS: dict[str, Callable[[str, random.Random], Awaitable[None]]] = {
    each.__name__: each for each in (clears, starts, rebinds, presses, uploads)
}


async def until(url: str, kind: str, seconds: float, seed: int) -> int:
    """Visit again and again; how often. A lost connection is only another try."""
    rng, end, times = random.Random(seed), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        try:
            await KINDS[kind](url, rng)
        except (OSError, TimeoutError, requests.RequestException, websockets.WebSocketException) as error:
            print(f"{kind}: {type(error).__name__}: {error}"[:200])
            await asyncio.sleep(0.2)
        times += 1
    return times


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(options.kind, asyncio.run(until(options.url, options.kind, options.seconds, options.seed)))
