"""What a visitor of a shared server may take; a teacher, and who sits at the server, may take all."""

import json

import pytest

from core.catalogues import completed
from core.jobs.executors import ThreadExecutor
from core.jobs.limits import NONE, Limits, num_parameters, read_limits
from core.jobs.manager import Jobs
from core.jobs.rights import TEACHER, Asker
from core.jobs.shared import make_jobs
from core.presets import PRESETS
from core.run.errors import SpecError
from core.run.spec import RunSpec, TrainSpec, parse
from core.store.store import Store, run_folder
from tests.jobs.fake_engine import load

PATIENCE = 60.0
PUPIL = "school/1"
FREE = ["", "here/1", f"{TEACHER}/1"]


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    opened = []

    def start(**limits):
        store = Store()
        opened.append((Jobs(store, ThreadExecutor(load), limits=Limits(**limits)), store))
        return opened[-1][0]

    yield start
    for jobs, store in opened:
        jobs.close()
        store.close()


def spec(epochs=1, name="until stopped"):
    return RunSpec(name=name, train=TrainSpec(epochs=epochs))


def test_epochs_are_limited_at_submit_and_by_an_edit(start):
    jobs = start(epochs=20)
    with pytest.raises(SpecError, match=r"train.epochs: at most 20 are allowed on this server"):
        jobs.submit(spec(21), visitor=PUPIL)
    assert not jobs.live(None)
    run_id = jobs.submit(spec(20), visitor=PUPIL)
    jobs.wait_for_step(run_id, PATIENCE)
    posted = []
    jobs._runner.get(run_id).control.post = posted.append

    def edit(value, who=PUPIL, **more):
        jobs.command(run_id, {"command": "edit", "set": {"train.epochs": value, **more}}, Asker(who))

    for value in (21, 1000):
        for more in ({}, {"no.such.field": 1}):
            with pytest.raises(SpecError, match="at most 20 are allowed"):
                edit(value, **more)
    assert not posted
    edit(20)
    edit("1000")  # not a whole number: the run itself refuses it
    edit(1000, f"{TEACHER}/1")
    assert [each["set"]["train.epochs"] for each in posted] == [20, "1000", 1000]
    for visitor in FREE:
        jobs.stop(jobs.submit(spec(1000), visitor=visitor))
    jobs.stop(run_id)


def test_parameters_are_limited(start):
    jobs = start(parameters=100_000)
    large = completed(PRESETS["baseline"].spec)
    small = completed(parse({"model": {"arch": "mlp", "params": {"hidden": [8]}}, "name": "a"}))
    assert num_parameters(large) == num_parameters(PRESETS["baseline"].spec) == 688_138
    with pytest.raises(SpecError, match=r"would have 688,138 parameters; at most 100,000 are allowed on"):
        jobs.submit(large, visitor=PUPIL)
    jobs.submit(small, visitor=PUPIL)
    for visitor in FREE:
        jobs.submit(large, visitor=visitor)


def test_waiting_runs_are_limited(start):
    jobs = start(waiting=2)
    first = jobs.submit(spec())
    jobs.wait_for_step(first, PATIENCE)
    for _ in range(2):
        jobs.submit(spec(), visitor=PUPIL)
    with pytest.raises(SpecError, match="2 of your runs are waiting already"):
        jobs.submit(spec(), visitor=PUPIL)
    jobs.submit(spec(), visitor="school/2")
    for _ in range(4):
        jobs.submit(spec(), visitor="here/1")
    jobs.stop_waiting()
    jobs.stop(first)


def test_disk_is_limited_until_a_run_is_deleted(start):
    jobs = start(disk_mb=1)
    held = jobs.submit(spec(name="tells"), visitor=PUPIL)
    jobs.wait(held, PATIENCE)
    jobs.submit(spec(name="tells"), visitor=PUPIL)
    run_folder(held).mkdir(parents=True, exist_ok=True)
    (run_folder(held) / "weights.safetensors").write_bytes(bytes(1_200_000))
    with pytest.raises(SpecError, match=r"Your runs hold 1 MB on this server's disk; 1 MB are allowed\."):
        jobs.submit(spec(name="tells"), visitor="school/2")  # another visit, but the same address
    for visitor in ("elsewhere/1", *FREE):
        jobs.submit(spec(name="tells"), visitor=visitor)
    jobs.delete(held, Asker(PUPIL))
    assert jobs.wait(jobs.submit(spec(name="tells"), visitor=PUPIL), PATIENCE).state == "finished"


def test_a_run_that_has_had_its_minutes_is_stopped_with_a_reason(start):
    jobs = start(minutes=0.01)
    theirs = jobs.submit(spec(), visitor=PUPIL)
    view = jobs.wait(theirs, PATIENCE)
    assert (
        view.state == "stopped"
        and view.reason == "A run may take 0.01 minutes on this server; this one has had them."
    )
    assert 0.6 <= view.finished_at - view.started_at < 5
    assert jobs.recent()[0].reason == view.reason
    for visitor in FREE:
        free = jobs.submit(spec(name="lasts 1.5 s"), visitor=visitor)
        assert jobs.wait(free, PATIENCE).state == "finished"


def test_minutes_count_what_was_trained_before(start):
    jobs = start(minutes=1 / 60)  # the fake engine says of each epoch that it took one second
    run_id = jobs.submit(spec(name="tells"), visitor=PUPIL)
    assert jobs.wait(run_id, PATIENCE).state == "finished"
    jobs._store.set_state(run_id, "stopped")
    with pytest.raises(SpecError, match="this one has had them"):
        jobs.resume(run_id, Asker(PUPIL))
    jobs.resume(run_id, Asker(f"{TEACHER}/1"))
    assert jobs.wait(run_id, PATIENCE).ended


def test_without_limits_there_are_none(start):
    jobs = start()
    assert jobs.limits_of(PUPIL) == NONE and NONE.in_words() == ""
    jobs.stop(jobs.submit(spec(1000), visitor=PUPIL))


def test_the_file_of_limits(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    monkeypatch.delenv("AUGURY_LIMITS", raising=False)
    assert read_limits() == NONE
    path = tmp_path / "limits.json"
    monkeypatch.setenv("AUGURY_LIMITS", str(path))
    with pytest.raises(SpecError, match="AUGURY_LIMITS: the file can't be read: No such file"):
        make_jobs()
    for text, said in (
        ("{", "Invalid JSON"),
        ('{"epoch": 3}', "epoch: Extra inputs are not permitted"),
        ('{"epochs": "3"}', "epochs: "),
        ('{"epochs": 0}', "epochs: "),
        ('{"minutes": NaN}', ""),
        ("[]", ""),
    ):
        path.write_text(text)
        with pytest.raises(SpecError, match=f"AUGURY_LIMITS: {said}.*The limits are epochs, minutes"):
            read_limits()
    told = {"epochs": 50, "minutes": 10, "parameters": 2_000_000, "waiting": 3, "disk_mb": 500}
    path.write_text(json.dumps(told))
    assert read_limits() == Limits(**told)
    assert read_limits().in_words() == (
        "At most 50 epochs, 10 minutes, 2,000,000 parameters a run; 3 waiting runs, 500 MB of disk a visitor."
    )
    assert read_limits().of("here/1") == read_limits().of("") == read_limits().of(f"{TEACHER}/2") == NONE
    jobs = make_jobs()
    assert jobs.limits_of(PUPIL).epochs == 50
    jobs.close()
