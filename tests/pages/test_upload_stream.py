"""What a browser uploads goes to the disk as it comes; Streamlit's handler gets the same form, empty."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from urllib3 import encode_multipart_formdata

from pages.features.frame import upload_stream
from pages.features.frame.upload_stream import ARRIVED, UploadsToDisk
from tests.apart import played

CHUNK = 1 << 16


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    monkeypatch.setattr(upload_stream, "_is_upload", lambda scope: scope["method"] == "PUT")
    return tmp_path


async def handler(scope, receive, send):
    """As Streamlit's: it reads the form, and one file of it."""
    form = await Request(scope, receive).form()
    (file,) = form.values()
    arrived = ARRIVED.get()
    seen.append((await file.read(), arrived))
    await Response(status_code=204)(scope, receive, send)


seen: list = []


def put(body, headers, most_megabytes=200, gone=False):
    """The status with which an upload is answered; ``gone``: the browser goes in the middle."""
    seen.clear()
    said, place = [], 0

    async def receive():
        nonlocal place
        if gone and place > len(body) // 2:
            return {"type": "http.disconnect"}
        chunk, place = body[place : place + CHUNK], place + CHUNK
        return {"type": "http.request", "body": chunk, "more_body": place < len(body)}

    async def send(message):
        said.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/_stcore/upload_file/session/file",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    played(UploadsToDisk(handler)(scope, receive, send))
    return said[0]["status"]


def form(content, name="photos.zip", media_type="application/zip"):
    body, kind = encode_multipart_formdata({"file": (name, content, media_type)})
    return body, {"content-type": kind, "content-length": str(len(body))}


@pytest.mark.parametrize("name", ["photos.zip", "Grüße 写真.zip", "a b;c=1.zip"])
def test_the_file_lies_on_the_disk_whole_and_the_handler_reads_none_of_it(home, name):
    content = bytes(range(256)) * 5000
    assert put(*form(content, name)) == 204
    ((read, arrived),) = seen
    assert read == b""
    assert (arrived.size, arrived.name, arrived.media_type) == (len(content), name, "application/zip")
    assert Path(arrived.file.name).parent == home / "uploads"
    assert Path(arrived.file.name).read_bytes() == content
    assert ARRIVED.get() is None


def test_a_large_file_never_lies_in_memory():
    body, headers = form(b"x" * (40 << 20))
    tracemalloc.start()
    assert put(body, headers) == 204
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
    assert seen[0][1].size == 40 << 20


def test_one_that_is_too_large_is_refused_whatever_it_says_of_its_length(home, monkeypatch):
    monkeypatch.setattr(upload_stream.config, "get_option", lambda name: 1)
    body, headers = form(b"x" * (2 << 20))
    assert put(body, headers) == 413
    del headers["content-length"]
    assert put(body, headers) == 413
    assert put(body, {**headers, "content-length": "7"}) == 413
    assert seen == [] and list(home.rglob("*")) == []


def test_what_is_no_form_with_one_file_is_refused():
    assert put(b"rubbish", {"content-type": "multipart/form-data; boundary=b"}) == 400
    body, kind = encode_multipart_formdata({"file": "only a word"})
    assert put(body, {"content-type": kind}) == 400


def test_nothing_is_left_of_a_browser_that_goes_in_the_middle(home):
    from starlette.requests import ClientDisconnect

    with pytest.raises(ClientDisconnect):
        put(*form(b"x" * (1 << 20)), gone=True)
    assert seen == [] and list(home.rglob("*")) == []
