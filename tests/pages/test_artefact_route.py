"""What an export has left comes as a file to keep, whatever it is called; nothing else comes."""

import asyncio
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from visiting import manager

from core.run.spec import RunSpec
from core.store.artefacts import record
from core.store.store import Store
from pages.features.frame.downloads import CHUNK, ROUTES, artefact_address, left_by

JOB = "a" * 32
CONTENT = b"<script>alert(1)</script>" * (CHUNK // 10)  # several chunks


def left(name="augury-1.html", media_type="text/html", kind="export", job=JOB, content=CONTENT):
    """A job that has left a file; the file's digest."""
    store, digest = Store(), manager().artefacts.put(content)
    store.create(job, RunSpec(), time.time(), kind=kind)
    store.set_state(job, "finished")
    event = {"name": name, "digest": digest, "media_type": media_type, "bytes": len(content)}
    record(store.engine, job, {"event": "artefact", **event})
    store.close()
    return digest


def ask(path, method="GET"):
    app, told = Starlette(routes=ROUTES), []

    async def receive():
        await asyncio.sleep(60)  # until then nobody leaves

    async def send(message):
        told.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    scope["asgi"] = {"spec_version": "2.4"}
    with ThreadPoolExecutor(1) as pool:  # browser tests leave a loop running in this thread
        pool.submit(asyncio.run, app(scope, receive, send)).result()
    return told[0]["status"], dict(told[0]["headers"]), [each["body"] for each in told if each.get("body")]


def test_it_comes_in_pieces_as_a_file_that_no_browser_opens():
    left()
    status, headers, pieces = ask(f"/{artefact_address(JOB)}")
    assert status == 200 and b"".join(pieces) == CONTENT and max(map(len, pieces)) <= CHUNK < len(CONTENT)
    assert headers[b"content-disposition"] == b'attachment; filename="augury-1.html"'
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"content-security-policy"] == b"sandbox; default-src 'none'"
    assert headers[b"content-length"] == str(len(CONTENT)).encode()


def test_head_tells_of_it_and_sends_nothing():
    left()
    status, headers, pieces = ask(f"/{artefact_address(JOB)}", "HEAD")
    assert status == 200 and headers[b"content-length"] == str(len(CONTENT)).encode() and pieces == []
    assert ask(f"/{artefact_address(JOB)}", "POST")[0] == 405


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ('../../etc/pass"wd\r\nX-Evil: 1', b"_.._etc_pass_wd_X-Evil_1"),
        ("…", b"_"),
        ("....", b"augury"),
        ("ä" * 300 + ".html", b"_.html"),
        ("a" * 300, b"a" * 120),
    ],
)
def test_a_hostile_name_or_type_reaches_no_header(name, called):
    left(name, "text/html\r\nSet-Cookie: a=b")
    status, headers, _ = ask(f"/{artefact_address(JOB)}")
    assert status == 200 and set(headers) == {
        b"content-disposition", b"content-length", b"content-security-policy", b"x-content-type-options",
        b"cache-control", b"content-type",
    }  # fmt: skip
    assert headers[b"content-disposition"] == b'attachment; filename="' + called + b'"'
    assert headers[b"content-type"] == b"application/octet-stream"


@pytest.mark.parametrize(
    "job", ["b" * 32, "..", "../../secret", "A" * 32, "a" * 31, "", "a" * 32 + "/x", "%00"]
)
def test_any_other_name_is_none(job):
    left()
    assert ask(f"/augury/artefact/{job}")[0] == 404


def test_only_what_an_export_left_is_sent():
    left(kind="probe.cost")
    assert left_by(JOB) is None and ask(f"/{artefact_address(JOB)}")[0] == 404
    left(job="c" * 32)
    manager().delete("c" * 32)
    assert ask(f"/{artefact_address('c' * 32)}")[0] == 404


def test_a_file_that_is_gone_or_damaged_is_not_sent(home):
    digest = left()
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    path = home / "artefacts" / digest[:2] / digest
    path.write_bytes(b"other")
    status, _, pieces = ask(f"/{artefact_address(JOB)}")
    assert status == 404 and b"damaged" in b"".join(pieces)
    path.unlink()
    status, _, pieces = ask(f"/{artefact_address(JOB)}")
    assert status == 404 and b"no longer kept" in b"".join(pieces)
