"""Studies in the store: driven, paused, killed, taken up again, by one server or by two."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.catalogues import completed
from core.jobs.executors import ThreadExecutor
from core.jobs.manager import Jobs
from core.jobs.rights import Asker
from core.run.errors import SpecError
from core.run.spec import parse
from core.store.store import Store
from core.store.studies import StudyStore
from core.store.tables import cells as cells_table
from core.study.cost import GAP, price
from core.study.studies import Studies
from core.text.how_long import how_long
from tests.study.playing import TINY, study

ROOT = Path(__file__).parents[2]
FAST = TINY | {"data": {"name": "digits", "train_images": 60}, "train": {"epochs": 2, "device": "cpu"}}
SEARCH = {
    "fields": [{"path": "optimiser.lr", "low": 1e-4, "high": 1e-1, "scale": "log"}],
    "settings": 9,
    "epochs": 9,
    "figure": "loss",
}


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def server(home):
    made = []

    def make(drives=True):
        store = Store()
        jobs = Jobs(store, ThreadExecutor())
        studies = Studies(jobs, store, drives=drives)
        made.append((studies, jobs, store))
        return studies, jobs

    yield make
    for studies, jobs, store in made:
        studies.close()
        jobs.close()
        store.close()


def figures_of(view):
    """What came out, but for the time it took."""
    return {key: told.figures.model_copy(update={"seconds": 0.0}) for key, told in view.table.items()}


def drive(driver, store, study_id):
    """Step by step to its end."""
    deadline = time.monotonic() + 120
    while not driver.step(store.study(study_id)):
        assert time.monotonic() < deadline, "the study does not end"
        time.sleep(0.05)


def test_every_cell_is_a_run_and_what_was_there_is_used(server):
    studies, jobs = server()
    asked = study("ablation", FAST, seeds=2, design="one-at-a-time")
    first = asked.cells({})[0]
    there = jobs.submit(first.spec)
    assert jobs.wait(there, 60).state == "finished"
    study_id = studies.start(asked, "here/one")
    view = studies.wait(study_id, 120)
    assert view.state == "finished" and view.done == len(view.cells) == 8 and not view.failed
    assert view.table[first.key].run_id == there and view.table[first.key].reused
    for cell in view.cells:
        run = jobs.view(view.table[cell.key].run_id)
        assert run.spec.model_copy(update={"name": ""}) == cell.spec.model_copy(update={"name": ""})
        assert view.table[cell.key].figures.accuracy == run.history.result["validation_accuracy"]
        assert view.table[cell.key].figures.zeros == run.history.result["sparsity"]["exact"]
    assert {run.id for run in jobs.recent(50, cells=False)} == {there}  # a study's runs stand apart
    again = studies.wait(studies.start(asked), 60)
    assert all(told.reused for told in again.table.values()) and figures_of(again) == figures_of(view)


def test_a_promoted_run_is_the_straight_run(server):
    studies, jobs = server()
    asked = study("search", FAST, **SEARCH)
    view = studies.wait(studies.start(asked), 240)
    assert view.state == "finished" and view.result["epochs_spent"] == 21 and view.result["complete"]
    winner = view.result["winner"]["setting"]
    cell = next(cell for cell in view.cells if cell.key == f"{winner}@9")
    run = jobs.view(view.table[cell.key].run_id)
    assert run.state == "finished" and len(run.history.epochs) == 9
    waits = [jobs.view(told.run_id) for key, told in view.table.items() if key.endswith("@1")]
    assert sum(each.state == "stopped" and "It waits after epoch" in each.reason for each in waits) == 8
    straight = jobs.wait(jobs.submit(cell.spec.model_copy(update={"name": "straight"})), 60)
    assert [epoch["validation_loss"] for epoch in straight.history.epochs] == [
        epoch["validation_loss"] for epoch in run.history.epochs
    ]
    assert jobs.already(cell.spec) is not None  # how far it went at first is nothing of what it is


def test_paused_and_gone_on_with_it_is_the_same_table(server):
    studies, jobs = server()
    asked = study("search", FAST, **SEARCH)
    study_id = studies.start(asked)
    deadline = time.monotonic() + 60
    while studies.view(study_id).done < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    studies.pause(study_id)
    paused = studies.view(study_id)
    assert paused.state == "paused" and 0 < paused.done < len(paused.cells)
    time.sleep(1.0)
    assert studies.view(study_id).done <= paused.done + 1  # nothing new begins
    assert not jobs.live()
    studies.resume(study_id)
    whole = studies.wait(study_id, 240)
    another = studies.wait(studies.start(asked.model_copy(update={"name": "again"})), 240)
    assert figures_of(whole) == figures_of(another) and whole.result == another.result | {
        "run": whole.result["run"], "rungs": whole.result["rungs"], "test": whole.result["test"]
    }  # fmt: skip


def test_what_can_not_be_begun_now_is_said_and_tried_again(server):
    studies, jobs = server()
    jobs.freeze(True)
    study_id = studies.start(study("seeds", FAST, seeds=2))  # Augury's own code may
    with pytest.raises(SpecError, match="stopped new starts"):
        studies.start(study("seeds", FAST, seeds=2), "10.0.0.1/visit")
    assert studies.wait(study_id, 60).state == "finished"


def test_a_run_that_was_deleted_fails_its_cell_and_it_can_be_tried_again(server):
    studies, jobs = server(drives=False)
    study_id = studies.start(study("seeds", FAST, seeds=2))
    driver, store = studies._driver, studies._store
    driver.step(store.study(study_id))
    first, *_ = store.cells(study_id).values()
    jobs.wait(first.run_id, 60)
    jobs.delete(first.run_id)
    driver.step(store.study(study_id))
    assert studies.view(study_id).failed
    studies.try_again(study_id)
    drive(driver, store, study_id)
    view = studies.wait(study_id, 10)
    assert view.state == "finished" and not view.failed


def test_a_cell_whose_server_was_killed_before_its_run_was_put_in_is_begun_again(server, monkeypatch):
    studies, _ = server(drives=False)
    study_id = studies.start(study("seeds", FAST, seeds=2))
    store = studies._store
    key = studies.view(study_id).cells[0].key
    assert store.begin(study_id, key, "f" * 32, False)
    assert not store.begin(study_id, key, "e" * 32, False)  # another server was first
    monkeypatch.setattr("core.study.driver.LOST_SECONDS", 0.0)
    drive(studies._driver, store, study_id)
    assert store.study(study_id).state == "finished"
    assert store.cells(study_id)[key].run_id != "f" * 32


def test_a_run_that_was_interrupted_too_often_fails_its_cell(server):
    studies, jobs = server(drives=False)
    study_id = studies.start(study("seeds", FAST, seeds=2))
    store, driver = studies._store, studies._driver
    for key in [cell.key for cell in studies.view(study_id).cells]:
        run_id = f"{len(key):032x}"[:31] + key[-1].replace("e", "a")
        jobs.store.create(run_id, completed(parse(FAST)), 1.0)
        jobs.store.set_state(run_id, "interrupted", "Its worker was killed.")
        store.begin(study_id, key, run_id, False)
    assert driver.step(store.study(study_id))
    assert [cell.reason for cell in store.cells(study_id).values()] == ["Its worker was killed."] * 2


def test_two_servers_drive_one_study_and_each_cell_is_trained_once(server):
    one, jobs = server()
    two, _ = server()
    study_id = one.start(study("seeds", FAST, seeds=8))
    view = two.wait(study_id, 120)
    assert view.state == "finished"
    runs = [run.id for run in jobs.recent(100)]
    assert sorted(runs) == sorted(told.run_id for told in view.table.values()) and len(runs) == 8


def test_rights(server):
    studies, _ = server(drives=False)
    study_id = studies.start(study("seeds", FAST, seeds=2), "10.0.0.1/visit")
    stranger = Asker("10.0.0.2/other")
    for act in (studies.pause, studies.resume, studies.try_again, studies.delete):
        with pytest.raises(SpecError, match="steered by whoever started it"):
            act(study_id, asker=stranger)
    assert studies.may_control(study_id, Asker("10.0.0.1/visit")) and not studies.may_control(
        study_id, stranger
    )
    for _ in range(2):
        studies.start(study("seeds", FAST, seeds=2), "10.0.0.1/visit")
    with pytest.raises(SpecError, match="3 of your studies are running already"):
        studies.start(study("seeds", FAST, seeds=2), "10.0.0.1/visit")
    studies.delete(study_id)
    assert studies.view(study_id) is None and studies.restore(study_id)
    assert studies.view(study_id).state == "paused"
    with pytest.raises(SpecError, match="no such study"):
        studies.pause("0" * 32)


def test_a_damaged_row_is_said_and_hides_no_other(server):
    studies, _ = server()
    good = studies.start(study("seeds", FAST, seeds=2))
    bad = studies._store.create('{"question": "why"}', "bad", "")
    broken = studies.wait(bad, 30)
    assert broken.study is None and broken.state == "paused" and "can't be read" in broken.stored.reason
    assert studies.wait(good, 60).state == "finished"
    engine = Store().engine
    with engine.begin() as connection:
        connection.execute(sa.update(cells_table).values(figures='{"accuracy": 7}'))
    engine.dispose()
    time.sleep(0.3)
    view = studies.view(good)
    assert len(view.failed) == 2 and view.result == {}


def test_what_a_study_costs_is_measured_in_runs_like_its_own(server):
    _, jobs = server(drives=False)
    asked = study("strength", FAST, folds=2, strengths=[{"regulariser": 0, "grid": [1e-4, 1e-3]}])
    assert price(asked, asked.cells({}), (), jobs.recent(50)).seconds is None
    began = time.perf_counter()
    jobs.wait(jobs.submit(asked.base), 60)
    took = time.perf_counter() - began
    cells = asked.cells({})
    found = price(asked, cells, [cells[0].key], jobs.recent(50))
    assert (found.runs, found.epochs, found.reused) == (4, 4 * cells[0].epochs, 1) and found.seconds > 0
    ran = jobs.recent(1)[0].summary
    beside = ran["beside_seconds"]
    assert 0 < beside < took  # a worker's start, of seconds, is no part of it
    # A fold's run trains on fewer images than the run that was timed, and is judged by more.
    assert found.seconds == pytest.approx(4 * (how_long(cells[0].spec, jobs.recent(50)).seconds + GAP))
    jobs.wait(jobs.submit(asked.base.model_copy(update={"seed": 5})), 60)
    besides = [run.summary["beside_seconds"] for run in jobs.recent(2)]
    found = price(asked, cells, [cells[0].key], jobs.recent(50))
    trained = how_long(cells[0].spec, jobs.recent(50)).seconds
    assert found.seconds == pytest.approx(4 * (trained + GAP + min(besides)))


def command(out, home, *more, **settings):
    environment = os.environ | {"AUGURY_HOME": str(home), "AUGURY_EXECUTOR": "thread", **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "core", "study", *more, "--out", str(out)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def rows(out):
    with (out / "cells.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in ("run", "seconds")} for row in csv.DictReader(file)]


def test_the_command_is_killed_and_started_again_and_gives_the_same_table_bit_for_bit(tmp_path, home):
    asked = tmp_path / "study.json"
    asked.write_text(study("search", FAST | {"train": {"epochs": 9}}, **SEARCH).model_dump_json())
    out = tmp_path / "out"
    killed = command(out, home, str(asked))
    for _ in range(4):
        assert json.loads(killed.stdout.readline())["event"] == "cell"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert 4 <= sum(row["state"] == "done" for row in rows(out)) < 14
    resumed = command(out, home, str(asked))
    lines, errors = resumed.communicate(timeout=180)
    assert resumed.returncode == 0, errors
    assert json.loads(lines.splitlines()[-1])["event"] == "result"
    straight = command(tmp_path / "straight", tmp_path / "other", str(asked))
    assert straight.communicate(timeout=180) and straight.returncode == 0
    assert rows(out) == rows(tmp_path / "straight")
    result = json.loads((out / "result.json").read_text())
    assert result["winner"] == json.loads((tmp_path / "straight" / "result.json").read_text())["winner"]
    assert result["epochs_spent"] == 21


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, home):
    for text, says in (('{"question": "why"}', "no question called"), ("{", "not valid JSON")):
        asked = tmp_path / "study.json"
        asked.write_text(text)
        wrong = command(tmp_path / "out", home, str(asked))
        _, error = wrong.communicate(timeout=60)
        assert wrong.returncode == 2 and says in error and error.count("\n") == 1
    other = tmp_path / "taken"
    other.mkdir()
    (other / "study.json").write_text(study("seeds", FAST, seeds=2).model_dump_json())
    (other / "place.json").write_text('{"study": "x"}')
    asked.write_text(study("seeds", FAST, seeds=3).model_dump_json())
    wrong = command(other, home, str(asked))
    assert "holds another study" in wrong.communicate(timeout=60)[1] and wrong.returncode == 2


def test_the_store_keeps_what_two_do_once(home):
    store = Store()
    studies = StudyStore(store)
    study_id = studies.create("{}", "x" * 200, "")
    assert len(studies.study(study_id).name) == 80
    assert studies.begin(study_id, "a", "1" * 32, False)
    assert studies.set_cell(study_id, "a", "done", was="runs", figures="{}")
    assert not studies.set_cell(study_id, "a", "failed", was="runs")
    assert studies.study("'; drop table") is None
    store.close()
