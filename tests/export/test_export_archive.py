"""A run leaves as one file and comes back as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import zipfile

import pytest

from core.__main__ import main
from core.catalogues import completed
from core.export.source import open_sources
from core.jobs.manager import Jobs
from core.jobs.rights import Asker, may_control
from core.jobs.shared import make_jobs
from core.run.errors import SpecError
from core.run.spec import parse, with_setting
from core.store.retention import WEIGHTS
from core.store.store import Store, run_folder
from tests import made_up_run
from tests.export.archives import (
    ID,
    SPEC,
    archived,
    events,
    files_of,
    put_in,
    stored,
    told,
    weights,
    wipe,
    zipped,
)

TINY = {
    "name": "<i>First</i> try",
    "data": {"name": "digits", "train_images": 100},
    "model": {"arch": "mlp", "params": {"hidden": [8]}},
    "train": {"epochs": 3, "device": "cpu"},
}


@pytest.fixture(autouse=True)
def home_of_a_test(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


def trained(jobs: Jobs, **choices) -> str:
    run_id = jobs.submit(completed(parse(TINY | choices)), visitor="there/visit")
    assert jobs.wait(run_id, 60).state == "finished"
    return run_id


def branched(jobs: Jobs, parent: str) -> str:
    fork = jobs.fork(parent, jobs.view(parent).history.epochs[0]["step"])
    run_id = jobs.branch(fork, with_setting(fork.spec, "optimiser.lr=0.01"))
    assert jobs.wait(run_id, 60).state == "finished"
    return run_id


def test_two_trained_runs_come_back_as_they_were_after_the_store_was_wiped(tmp_path):
    jobs = make_jobs()
    one = trained(jobs)
    two = branched(jobs, one)
    jobs.rename(one, "Renamed **since**")
    jobs.annotate(one, "see <b>p. 3</b>\n\nand [here](http://evil.example)", ["homework", "group 2"])
    jobs.close()
    store = Store()
    before = {run_id: told(store, run_id) for run_id in (one, two)}
    store.close()
    assert before[one]["weights"] and before[two]["inputs"]["parent"] == one
    out = tmp_path / "both.augury.zip"
    assert main(["export", one, two, "--as", "archive", "--out", str(out)]) == 0
    wipe()
    assert main(["import", str(out)]) == 0
    store = Store()
    assert {run_id: told(store, run_id) for run_id in (one, two)} == before
    assert all(time.time() - store.run(run_id).imported_at < 60 for run_id in (one, two))
    store.close()
    again = tmp_path / "again.augury.zip"
    assert main(["export", one, two, "--as", "archive", "--out", str(again)]) == 0
    assert again.read_bytes() == out.read_bytes()
    jobs = make_jobs()
    try:
        assert jobs.children(one)[0].id == two
        assert jobs.view(one).history.result == jobs.view(one).history.epochs[-1]
    finally:
        jobs.close()


def test_a_run_of_the_command_line_comes_back_too(tmp_path, capsys):
    spec, out = tmp_path / "spec.json", tmp_path / "run"
    spec.write_text(json.dumps(TINY))
    assert main(["run", str(spec), "--out", str(out)]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["export", str(out), "--as", "archive", "--out", str(tmp_path / "a.zip")]) == 0
    capsys.readouterr()
    assert main(["import", str(tmp_path / "a.zip")]) == 0
    run_id = capsys.readouterr().out.strip()
    store = Store()
    assert [event for _, event in store.events(run_id)] == said
    assert store.run(run_id).spec == parse((out / "spec.json").read_text())
    assert (run_folder(run_id) / WEIGHTS).read_bytes() == (out / WEIGHTS).read_bytes()
    store.close()


def test_what_stands_in_the_archive_is_what_stands_in_the_store(tmp_path, store):
    stored(store)
    files = files_of(archived(tmp_path, ID))
    assert set(files) == {
        "manifest.json", "manifest.sha256", "index.html", "1/spec.json", "1/edits.json", "1/events.jsonl",
        "1/weights.safetensors", "images/1-strip.png",
    }  # fmt: skip
    manifest = json.loads(files["manifest.json"])
    for name, said in manifest["files"].items():
        assert said == {"bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
    assert files["manifest.sha256"].split()[0].decode() == hashlib.sha256(files["manifest.json"]).hexdigest()
    assert parse(files["1/spec.json"]) == store.run(ID).spec
    assert [json.loads(line) for line in files["1/events.jsonl"].splitlines()] == events()
    assert json.loads(files["1/edits.json"]) == [{"step": 6, "set": {"optimiser.lr": 0.0005}}]


def test_the_same_runs_give_the_same_bytes(tmp_path, store):
    stored(store)
    stored(store, "b" * 32, seed=1)
    first = archived(tmp_path, ID, "b" * 32)
    time.sleep(0.01)
    assert archived(tmp_path, ID, "b" * 32) == first


def test_a_run_that_is_here_is_left_alone(tmp_path, store):
    stored(store)
    content = archived(tmp_path, ID)
    store.rename(ID, "Another name by now")
    store.annotate(ID, "and a note")
    before = told(store, ID)
    (found,) = put_in(content, tmp_path, store)
    assert (found.id, found.is_new) == (ID, False)
    assert told(store, ID) == before and len(store.runs()) == 1
    assert store.run(ID).imported_at is None


@pytest.mark.parametrize("sort", ["events", "spec", "weights", "deleted", "moment"])
def test_another_run_of_the_same_id_is_never_written_over(tmp_path, store, sort):
    stored(store)
    content = archived(tmp_path, ID)
    original = told(store, ID)
    wipe()
    store.close()
    store = Store()
    stored(store, told=made_up_run.events() if sort == "events" else None, seed=7 if sort == "spec" else 0)
    if sort == "moment":
        shutil.rmtree(run_folder(ID))
    else:
        store.set_state(ID, "finished", created_at=original["created_at"])
    if sort == "weights":
        (run_folder(ID) / WEIGHTS).write_bytes(b"others")
    if sort == "deleted":
        store.delete(ID)
    there = told(store, ID)
    (found,) = put_in(content, tmp_path, store)
    assert found.is_new and found.id != ID and found.was == ID
    assert told(store, ID) == there
    assert told(store, found.id) | {"id": ID} == original
    (again,) = put_in(content, tmp_path, store)
    assert (again.id, again.is_new) == (found.id, False)


def test_who_imports_a_run_may_steer_it_and_nobody_else(tmp_path, store):
    stored(store)
    content = archived(tmp_path, ID)
    wipe()
    store.close()
    store = Store()
    put_in(content, tmp_path, store, "elsewhere/another")
    run = store.run(ID)
    assert run.visitor == "elsewhere/another" and not run.starred and run.control is None
    assert may_control(run, Asker("elsewhere/another")) and not may_control(run, Asker("there/visit"))


def test_runs_that_were_started_as_a_group_stay_one(tmp_path, store):
    ids = [stored(store, letter * 32, seed=i) for i, letter in enumerate("bcd")]
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET group_id = 'seeds'")
    content = archived(tmp_path, *ids)
    wipe()
    store.close()
    store = Store()
    put_in(content, tmp_path, store)
    groups = {store.run(run_id).group for run_id in ids}
    assert len(groups) == 1 and groups.isdisjoint({None, "seeds"})
    (alone,) = put_in(archived(tmp_path, ids[0]), tmp_path, store)
    assert not alone.is_new


def test_a_branch_is_linked_only_to_the_run_that_it_came_from(tmp_path):
    jobs = make_jobs()
    one = trained(jobs)
    two = branched(jobs, one)
    jobs.close()
    child, both = archived(tmp_path, two), archived(tmp_path, two, one)

    wipe()
    store = Store()
    put_in(child, tmp_path, store)
    assert store.run(two).inputs["parent"] == one, "of a run that is not here"
    store.close()

    wipe()
    store = Store()
    stored(store, one)  # another run, which has its parent's id
    put_in(child, tmp_path, store)
    assert "parent" not in store.run(two).inputs and len(store.run(two).parents) == 1
    forget(store, two)
    child_here, parent_here = put_in(both, tmp_path, store)
    assert child_here.id == two and parent_here.id != one
    assert store.run(two).inputs["parent"] == parent_here.id
    store.close()


def forget(store: Store, run_id: str) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM events WHERE run_id = '{run_id}'")
        connection.exec_driver_sql(f"DELETE FROM runs WHERE id = '{run_id}'")
    shutil.rmtree(run_folder(run_id))


def test_an_imported_run_is_offered_to_nobody_and_does_not_go_on(tmp_path):
    jobs = make_jobs()
    one = trained(jobs)
    spec = jobs.view(one).spec
    assert jobs.already(spec).id == one
    content = archived(tmp_path, one)
    jobs.close()
    wipe()
    store = Store()
    put_in(content, tmp_path, store)
    stopped = [*events()[:-2], {"event": "state", "state": "stopped", "reason": "by hand"}]
    stored(store, told=stopped)
    content = archived(tmp_path, ID)
    forget(store, ID)
    put_in(content, tmp_path, store)
    store.close()
    jobs = make_jobs()
    try:
        assert jobs.view(one).state == "finished" and jobs.already(spec) is None
        with pytest.raises(SpecError, match="imported"):
            jobs.resume(ID)
        assert jobs.view(ID).state == "stopped"
    finally:
        jobs.close()


def test_what_has_not_ended_or_is_no_training_is_not_archived(tmp_path, store):
    stored(store)
    store.set_state(ID, "running")
    with pytest.raises(SpecError, match="has not ended"):
        archived(tmp_path, ID)
    store.create("c" * 32, parse(SPEC), time.time(), kind="probe.cost")
    store.set_state("c" * 32, "finished")
    with pytest.raises(SpecError, match="no run that trains"):
        archived(tmp_path, "c" * 32)


def test_a_folder_of_this_machine_is_not_named(tmp_path, store):
    stored(store, data={"name": "folder", "path": "/home/anna/cats and dogs", "side": 8, "channels": 1})
    content = archived(tmp_path, ID)
    assert all(b"anna" not in each for each in files_of(content).values())
    wipe()
    store.close()
    store = Store()
    put_in(content, tmp_path, store)
    assert store.run(ID).spec.data.path == f"upload:{hashlib.sha256(b'/home/anna/cats and dogs').hexdigest()}"


def test_a_run_without_weights_or_epochs_comes_back(tmp_path, store):
    stored(store, told=[{"event": "state", "state": "failed", "reason": "No such images."}])
    (run_folder(ID) / WEIGHTS).unlink()
    before = told(store, ID)
    content = archived(tmp_path, ID)
    wipe()
    store.close()
    store = Store()
    put_in(content, tmp_path, store)
    assert told(store, ID) == before and store.run(ID).summary is None
    assert not run_folder(ID).exists()


def test_one_whose_server_could_not_say_so_any_more_comes_back(tmp_path, store):
    stored(store, told=events()[:-2])
    store.set_state(ID, "interrupted", "The server stopped during this run.")
    before = told(store, ID)
    content = archived(tmp_path, ID)
    assert b"Interrupted. The server stopped" in files_of(content)["index.html"]
    wipe()
    store.close()
    store = Store()
    put_in(content, tmp_path, store)
    assert told(store, ID) == before and before["reason"]


def test_a_bad_archive_is_one_sentence_and_exit_status_2(tmp_path, capsys):
    bad = tmp_path / "bad.augury.zip"
    for content, said in ((b"not a zip", "not a zip"), (zipped({"x.txt": b""}), "x.txt"), (b"", "not a zip")):
        bad.write_bytes(content)
        assert main(["import", str(bad)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "Traceback" not in error
        assert said in error
    assert main(["import", str(tmp_path / "nobody.zip")]) == 2
    assert "nobody.zip" in capsys.readouterr().err
    assert main(["import", str(tmp_path)]) == 2


def test_an_archive_is_an_ordinary_zip(tmp_path, store):
    stored(store)
    path = tmp_path / "it.zip"
    path.write_bytes(archived(tmp_path, ID))
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        assert all(each.date_time[0] == 1980 for each in opened.infolist())
    opened_again = open_sources([ID])[0]
    assert opened_again.weights.read_bytes() == files_of(path.read_bytes())["1/weights.safetensors"]
    weights(tmp_path / WEIGHTS)
    assert (tmp_path / WEIGHTS).read_bytes() == opened_again.weights.read_bytes()
