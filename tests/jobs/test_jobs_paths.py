"""Paths in processes of their own: shared, one at a time, stopped whole; a crash is a sentence."""

import os
import sys
import time
from contextlib import suppress

import psutil
import pytest

from core.jobs import paths as module
from core.jobs.paths import Paths
from core.run.errors import SpecError
from core.run.spec import DataSpec, ModelSpec, RegulariserSpec, RunSpec, TrainSpec
from core.study.strength_path import quick

WORKER = (sys.executable, "-m", "tests.jobs.fake_path")


def named(name="", seed=0):
    return RunSpec(name=name, seed=seed)


def children(word="fake_path"):
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it ends as we look
            found += [child] if word in " ".join(child.cmdline()) else []
    return found


def until(true, seconds=300.0):  # only a test that fails waits so long
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def ended(paths, spec, which=0):
    def view():
        now = paths.view(spec, which)
        return now if now.ended else None

    return until(view)


@pytest.fixture
def paths():
    """A manager that leaves no process behind."""
    paths = Paths(WORKER)
    yield paths
    paths.close()
    assert children() == []


def test_a_path_from_the_first_question_to_the_last_point(paths):
    assert paths.view(named(), 2) is None
    paths.ask(named(), 2)
    view = ended(paths, named(), 2)
    assert view.state == "finished" and view.done == 0.5
    assert [each["strength"] for each in view.points] == [1e-4, 2.0]  # the regulariser's number was passed on
    pid, niceness = map(int, view.reason.split())
    assert pid != os.getpid() and niceness == os.nice(0) + 15
    until(lambda: not psutil.pid_exists(pid))  # it ends with its path, and holds no memory


def test_equal_paths_are_trained_once(paths):
    paths.ask(named(), 0)
    first = ended(paths, named())
    paths.ask(named(), 0)
    assert paths.view(named(), 0).reason == first.reason  # of the same process
    paths.ask(named(seed=1), 0)
    paths.ask(named(), 1)
    assert ended(paths, named(seed=1)).reason != first.reason
    assert ended(paths, named(), 1).reason != first.reason


def test_one_at_a_time_and_who_waits_knows_it(paths):
    specs = [named("until stopped", seed) for seed in range(3)]
    for spec in specs:
        paths.ask(spec, 0)
    until(lambda: paths.view(specs[0], 0).done == 0.5)
    assert paths.view(specs[0], 0).strength == 1e-3 and paths.view(specs[1], 0).strength is None
    assert [paths.view(spec, 0).state for spec in specs] == ["running", "queued", "queued"]
    assert [paths.view(spec, 0).position for spec in specs] == [0, 1, 2]
    assert len(children()) == 1
    paths.stop(specs[1], 0)
    assert paths.view(specs[1], 0).state == "stopped" and paths.view(specs[2], 0).position == 1
    paths.stop(specs[0], 0)
    until(lambda: paths.view(specs[2], 0).state == "running")
    paths.stop(specs[2], 0)


def test_a_stop_keeps_the_points_and_leaves_no_process(paths):
    spec = named("until stopped")
    paths.ask(spec, 0)
    until(lambda: paths.view(spec, 0).points)
    paths.stop(spec, 0)
    view = ended(paths, spec)
    assert view.state == "stopped" and len(view.points) == 1
    until(lambda: not children())


def test_a_path_that_was_stopped_can_be_asked_for_again(paths):
    spec = named("until stopped")
    for _ in range(2):
        paths.ask(spec, 0)
        assert not paths.view(spec, 0).ended
        until(lambda: paths.view(spec, 0).points)
        paths.stop(spec, 0)
        assert ended(paths, spec).state == "stopped"


def test_nothing_happens_to_a_path_that_nobody_asked_for(paths):
    paths.stop(named(), 0)
    assert paths.view(named(), 0) is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("refused", "regularisers[0]: it is refused."),
        ("raises", "RuntimeError: too bad"),
        ("exits", "ended with exit status 3"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_the_next_path_goes_on(paths, name, says):
    paths.ask(named(name), 0)
    paths.ask(named(), 0)
    view = ended(paths, named(name))
    assert view.state == "failed" and says in view.reason and "\n" not in view.reason
    assert ended(paths, named()).state == "finished"


def test_a_worker_that_cannot_be_started_is_a_sentence():
    paths = Paths(("/nowhere/at/all",))
    paths.ask(named(), 0)
    assert "could not be started" in ended(paths, named()).reason
    paths.close()


def test_an_accuracy_that_is_no_number_is_none(paths):
    paths.ask(named("not finite"), 0)
    assert ended(paths, named("not finite")).points[1]["strength"] is None


def test_the_time_left_is_told_from_the_pace(monkeypatch):
    path, clock = module._Path(named(), 0), iter([104.0, 108.0, 108.0, 110.0, 200.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    assert path.seconds_left() is None
    path.take_in({"event": "progress", "done": 0.1, "strength": None})  # until now it loaded torch
    assert path.seconds_left() is None
    path.take_in({"event": "progress", "done": 0.3, "strength": None})
    assert [path.seconds_left() for _ in range(3)] == pytest.approx([14.0, 12.0, 0.0])


def test_too_many_are_refused_and_old_ones_forgotten(paths, monkeypatch):
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    specs = [named("until stopped", seed) for seed in range(4)]
    paths.ask(specs[0], 0)
    until(lambda: paths.view(specs[0], 0).points)
    paths.ask(specs[1], 0)
    paths.ask(specs[2], 0)
    with pytest.raises(SpecError, match="2 paths are waiting"):
        paths.ask(specs[3], 0)
    for spec in specs[2:0:-1]:
        paths.stop(spec, 0)
    paths.ask(specs[3], 0)
    assert [paths.view(spec, 0) is None for spec in specs] == [False, True, True, False]
    paths.stop(specs[3], 0)
    paths.stop(specs[0], 0)


def test_closing_ends_what_is_trained_and_starts_nothing_more():
    paths = Paths(WORKER)
    specs = [named("until stopped", seed) for seed in range(2)]
    for spec in specs:
        paths.ask(spec, 0)
    until(lambda: paths.view(specs[0], 0).points)
    paths.close()
    assert children() == [] and not paths.view(specs[1], 0).points
    paths.close()


def test_the_real_worker():
    spec = RunSpec(
        data=DataSpec(name="digits", train_images=100),
        model=ModelSpec(params={"channels": [4], "hidden": 16}),
        regularisers=(RegulariserSpec(kind="l2"), RegulariserSpec(kind="l1")),
        train=TrainSpec(device="cpu"),
    )
    paths = Paths()
    paths.ask(quick(spec, 1), 1)
    view = ended(paths, quick(spec, 1), 1)
    assert view.state == "finished" and len(view.points) == 8
    assert [each["exact"] for each in view.points] == sorted(each["exact"] for each in view.points)
    paths.close()
    assert children("core worker --path") == []


def test_a_manager_that_is_closing_refuses_in_a_sentence():
    paths = Paths(WORKER)
    paths.close()
    with pytest.raises(SpecError, match="Augury is closing"):
        paths.ask(named(), 0)
