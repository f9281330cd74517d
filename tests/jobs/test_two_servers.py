"""Two servers on one PostgreSQL, thirty people who watch a study, and one of the servers is killed."""

import asyncio
import os
import signal
import time

import psutil
import pytest

from core.store.store import Store
from core.store.studies import StudyStore
from core.study.driver import table_of
from tests.apart import played
from tests.benchmarks.viewers import Seat
from tests.e2e.browsing import ROOT, streamlit_server
from tests.postgres import postgres
from tests.study.playing import TINY, study

pytestmark = pytest.mark.alone

VIEWERS, RUNS, PATIENCE = 30, 6, 150.0
BASE = TINY | {"train": {"epochs": 40, "device": "cpu"}}


@pytest.fixture
def database(tmp_path, monkeypatch):
    with postgres() as url:
        monkeypatch.setenv("AUGURY_DATABASE_URL", url)
        monkeypatch.setenv("AUGURY_ARTEFACTS", str(tmp_path / "shared"))
        monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0.2")
        monkeypatch.setenv("AUGURY_THREADS", "1")
        yield url


def kill(address):
    """As a power cut does it: the server and what it has started."""
    port = address.rpartition(":")[2]
    running = [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"]]
    (server,) = [
        each for each in running if {f"--server.port={port}", "streamlit"} <= {*each.info["cmdline"]}
    ]
    for process in [*server.children(recursive=True), server]:
        process.send_signal(signal.SIGKILL)


async def watch(addresses, study_id, store, done):
    """Half of the viewers at each server; once some runs are there the first one is killed. The seats of the
    other, when the study is done."""
    seats = [Seat(addresses[i % 2], "Studies", f"study={study_id}") for i in range(VIEWERS)]
    for seat in seats:
        await seat.__aenter__()
        await seat.ask()
    watching = [asyncio.create_task(seat.watch(PATIENCE)) for seat in seats]
    deadline = time.monotonic() + PATIENCE
    while done(store, study_id) < 3:
        assert time.monotonic() < deadline, "the study does not go on"
        await asyncio.sleep(0.1)
    kill(addresses[0])
    while StudyStore(store).study(study_id).state != "finished":
        assert time.monotonic() < deadline, "the study does not end"
        await asyncio.sleep(0.2)
    await asyncio.sleep(3.0)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return seats[1::2]


def done(store, study_id):
    return sum(cell.state == "done" for cell in StudyStore(store).cells(study_id).values())


def test_nothing_is_lost(tmp_path, database):
    store = Store(database)
    study_id = StudyStore(store).create(study("seeds", BASE, seeds=RUNS).model_dump_json(), "", "")
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        home.mkdir()
    with (
        streamlit_server(ROOT / "app.py", homes[0]) as one,
        streamlit_server(ROOT / "app.py", homes[1]) as two,
    ):
        left = played(watch((one, two), study_id, store, done))
        table = table_of(StudyStore(store).cells(study_id))
        log = (homes[1] / "server.log").read_text(errors="replace")
    assert [told.state for told in table.values()] == ["done"] * RUNS
    runs = {run.id: run for run in store.runs(100)}
    assert {told.run_id for told in table.values()} == set(runs) and len(runs) == RUNS
    assert {run.state for run in runs.values()} == {"finished"}
    for run_id in runs:
        epochs = [event["epoch"] for _, event in store.events(run_id) if event["event"] == "epoch"]
        assert sorted(set(epochs)) == list(range(1, 41)), "an epoch is missing"
    assert [seat.errors for seat in left] == [[]] * len(left) and all(seat.waits for seat in left)
    assert "Traceback" not in log
    store.close()
    assert os.environ["AUGURY_DATABASE_URL"] == database
