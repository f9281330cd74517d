"""Who may steer a run: decided once, and asked for by `Jobs` at whatever is done to a run."""

import pytest

from core.jobs.executors import ThreadExecutor
from core.jobs.manager import Jobs
from core.jobs.rights import (
    HERE,
    ITSELF,
    ONLY_TEACHER,
    ONLY_WATCH,
    TEACHER,
    Asker,
    is_teachers_key,
    key_digest,
    may_control,
    new_key,
    teachers_key,
)
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.store import Store
from tests.jobs.fake_engine import load

KEY = new_key()
OWNER, WATCHER = Asker("home/1"), Asker("elsewhere/2")
PATIENCE = 60.0


class Run:
    visitor = "home/1"
    control = key_digest(KEY)


class Nobodys:
    visitor = ""
    control = None


@pytest.mark.parametrize(
    ("asker", "may"),
    [
        (OWNER, True),
        (Asker("home/7"), True),  # the same place
        (Asker("train/1"), True),  # the same visit, on another network
        (WATCHER, False),
        (Asker("elsewhere/2", "guess"), False),
        (Asker("elsewhere/2", key_digest(KEY)), False),  # what is stored opens nothing
        (Asker("elsewhere/2", KEY), True),
        (Asker(f"{TEACHER}/3"), True),
        (Asker(f"{HERE}/4"), True),
        (ITSELF, True),
        (Asker(), False),
        (Asker("home2/9"), False),
        (Asker("elsewhere/"), False),
    ],
)
def test_who_may_control_a_run(asker, may):
    assert may_control(Run, asker) == may


@pytest.mark.parametrize("asker", [Asker(), Asker("/"), Asker("", "None"), WATCHER])
def test_a_run_that_is_nobodys_is_steered_by_no_visitor(asker):
    assert not may_control(Nobodys, asker)


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    store = Store()
    jobs = Jobs(store, ThreadExecutor(load))
    yield jobs
    jobs.close()
    store.close()


def begin(jobs, **told):
    run_id = jobs.submit(RunSpec(name="until stopped"), **told)
    jobs.wait_for_step(run_id, PATIENCE)
    return run_id


DONE = {
    "stop": lambda jobs, run_id, asker: jobs.stop(run_id, asker),
    **{
        name: lambda jobs, run_id, asker, name=name: jobs.command(run_id, {"command": name}, asker)
        for name in ("pause", "resume", "step", "epoch", "checkpoint", "stop")
    },
    "edit": lambda jobs, run_id, asker: jobs.command(
        run_id, {"command": "edit", "set": {"optimiser.lr": 1.0}}, asker
    ),
    "rename": lambda jobs, run_id, asker: jobs.rename(run_id, "mine", asker),
    "annotate": lambda jobs, run_id, asker: jobs.annotate(run_id, "mine", asker=asker),
    "star": lambda jobs, run_id, asker: jobs.star(run_id, True, asker),
    "delete": lambda jobs, run_id, asker: jobs.delete(run_id, asker),
    "restore": lambda jobs, run_id, asker: jobs.restore(run_id, asker),
    "go on": lambda jobs, run_id, asker: jobs.resume(run_id, asker),
    "go on by itself": lambda jobs, run_id, asker: jobs.resume_by_itself(run_id, True, asker),
    "a new control link": lambda jobs, run_id, asker: jobs.new_control_key(run_id, asker),
}


@pytest.mark.parametrize("what", DONE)
@pytest.mark.parametrize("asker", [WATCHER, Asker("elsewhere/2", "guess"), Asker()])
def test_a_watchers_hand_made_request_is_refused_and_changes_nothing(jobs, what, asker):
    running = begin(jobs, visitor=OWNER.visitor, key=KEY)
    waiting = jobs.submit(RunSpec(name="until stopped"), visitor=OWNER.visitor)
    posted = []
    jobs._runner.get(running).control.post = posted.append
    before = [jobs._store.run(each) for each in (running, waiting)]
    for run_id in (running, waiting):
        with pytest.raises(SpecError, match="You watch this run"):
            DONE[what](jobs, run_id, asker)
    assert [jobs._store.run(each) for each in (running, waiting)] == before
    assert not posted and not jobs._runner.get(running).control.stopping
    jobs.stop(waiting, OWNER)
    jobs.stop(running, Asker("elsewhere/2", KEY))
    assert jobs.wait(running, PATIENCE).state == "stopped"
    for what_ended in ("delete", "go on", "restore"):
        with pytest.raises(SpecError, match="You watch this run"):
            DONE[what_ended](jobs, running, asker)
    assert jobs.view(running).state == "stopped"


def test_a_key_opens_its_own_run_until_there_is_a_new_one(jobs):
    run_id, other = begin(jobs, visitor="home/1", key=KEY), jobs.submit(RunSpec(name="b"), visitor="home/1")
    by_link = Asker("elsewhere/2", KEY)
    jobs.rename(run_id, "by the link", by_link)
    assert jobs.view(run_id).name == "by the link"
    with pytest.raises(SpecError, match="You watch"):
        jobs.stop(other, by_link)
    key = jobs.new_control_key(run_id, by_link)
    with pytest.raises(SpecError, match="You watch"):
        jobs.rename(run_id, "again", by_link)
    jobs.rename(run_id, "by the new one", Asker("elsewhere/2", key))
    assert KEY not in repr(jobs.view(run_id)) and key not in repr(jobs._store.run(run_id))
    jobs.stop(run_id)


def test_only_a_teacher_ends_all_that_wait(jobs):
    run_id = begin(jobs, visitor="home/1")
    jobs.submit(RunSpec(name="b"), visitor="home/1")
    with pytest.raises(SpecError, match=ONLY_TEACHER):
        jobs.stop_waiting(OWNER)
    assert jobs.stop_waiting(Asker(f"{TEACHER}/3")) == 1
    jobs.stop(run_id)


def test_the_teachers_key(monkeypatch):
    monkeypatch.delenv("AUGURY_TEACHER_KEY", raising=False)
    assert not is_teachers_key("") and not is_teachers_key("anything") and teachers_key() == ""
    monkeypatch.setenv("AUGURY_TEACHER_KEY", "short")
    assert not is_teachers_key("short")
    with pytest.raises(SpecError, match="AUGURY_TEACHER_KEY: it is too short"):
        teachers_key()
    monkeypatch.setenv("AUGURY_TEACHER_KEY", "Lehrerin über 8")
    assert is_teachers_key("Lehrerin über 8") and not is_teachers_key("Lehrerin über 9")
    assert not is_teachers_key("") and not is_teachers_key("\ud800")


def test_the_sentence_for_a_watcher_says_who_may():
    assert "whoever started it" in ONLY_WATCH and "control link" in ONLY_WATCH
