"""A run's weights come from the disk, and nothing else does."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette

from core.store.store import run_folder
from pages.features.frame.downloads import ROUTES, has_weights, weights_address

RUN = "a" * 32


@pytest.fixture
def browser(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    run_folder(RUN).mkdir(parents=True)
    (run_folder(RUN) / "weights.safetensors").write_bytes(b"weights")
    (tmp_path / "secret").write_text("no")
    app = Starlette(routes=ROUTES)

    def get(path):
        told = []

        async def receive():
            await asyncio.sleep(60)  # until then nobody leaves

        async def send(message):
            told.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        with ThreadPoolExecutor(1) as pool:  # browser tests leave a loop running in this thread
            pool.submit(asyncio.run, app(scope, receive, send)).result()
        content = b"".join(each.get("body", b"") for each in told)
        return told[0]["status"], dict(told[0]["headers"]), content

    return get


def test_weights_are_sent_as_a_file(browser):
    assert has_weights(RUN)
    status, headers, content = browser(f"/{weights_address(RUN)}")
    assert (status, content) == (200, b"weights")
    assert headers[b"content-disposition"] == b'attachment; filename="augury-aaaaaaaa.safetensors"'


@pytest.mark.parametrize("run_id", ["b" * 32, "..", "../../secret", "secret", "A" * 32, "a" * 31, ""])
def test_any_other_name_is_none(browser, run_id):
    assert not has_weights(run_id)
    assert browser(f"/augury/weights/{run_id}")[0] == 404
