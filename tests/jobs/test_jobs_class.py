"""A class on one queue: turns, a teacher's order, and starts that only a teacher may make."""

import time

import pytest

from core.jobs.executors import ThreadExecutor
from core.jobs.manager import Jobs
from core.jobs.rights import ONLY_TEACHER, TEACHER, Asker, handle
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.store import Store
from tests.jobs.fake_engine import load

PATIENCE = 60.0
PUPIL, TEACHES = Asker("a/1"), Asker(f"{TEACHER}/2")


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts a server of the one queue."""
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    opened = []

    def start(**told):
        store = Store()
        opened.append((Jobs(store, ThreadExecutor(load), **told), store))
        return opened[-1][0]

    yield start
    for jobs, store in opened:
        jobs.close()
        store.close()


def hold(jobs):
    """A run that keeps the one slot until it is stopped."""
    run_id = jobs.submit(RunSpec(name="until stopped"))
    jobs.wait_for_step(run_id, PATIENCE)
    return run_id


def served(jobs, ids):
    """In which order these started, once all have ended."""
    views = {run_id: jobs.wait(run_id, PATIENCE) for run_id in ids}
    assert {view.state for view in views.values()} == {"finished"}
    return sorted(ids, key=lambda run_id: views[run_id].started_at)


def test_three_visitors_with_three_runs_each_take_turns(start):
    jobs = start()
    first = hold(jobs)
    whose = {jobs.submit(RunSpec(name=f"{visitor}{i}"), visitor=f"{visitor}/1"): visitor
             for visitor in "abc" for i in range(3)}  # fmt: skip
    promised = sorted(whose, key=lambda run_id: jobs.view(run_id).position)
    assert [jobs.view(run_id).position for run_id in promised] == list(range(1, 10))
    assert [view.id for view in jobs.live()] == [first, *promised]
    jobs.stop(first)
    order = served(jobs, list(whose))
    assert [whose[run_id] for run_id in order] == list("abcabcabc") and order == promised


def test_who_asks_late_for_one_run_is_not_starved_by_who_asks_on_and_on(start):
    """Somebody keeps ten waiting all the time; another's one run is the next but one."""
    jobs = start()
    first = hold(jobs)
    greedy = [jobs.submit(RunSpec(name=f"g{i}"), visitor="greedy/1") for i in range(10)]
    late = jobs.submit(RunSpec(name="late"), visitor="late/1")
    jobs.stop(first)
    while not jobs.view(late).ended:
        try:
            greedy.append(jobs.submit(RunSpec(name="more"), visitor="greedy/1"))
        except SpecError:
            time.sleep(0.01)
    assert served(jobs, [*greedy, late]).index(late) <= 1


def test_a_teacher_moves_a_run_to_the_front_of_two_servers(start):
    jobs, other = start(), start()
    first = hold(jobs)
    ids = [jobs.submit(RunSpec(name=f"{i}"), visitor=f"{i}/1") for i in range(4)]
    with pytest.raises(SpecError, match=ONLY_TEACHER):
        jobs.move(ids[3], 0, Asker("3/1"))
    other.move(ids[3], 0, TEACHES)
    other.move(ids[2], 1, TEACHES)
    wanted = [ids[3], ids[2], ids[0], ids[1]]
    time.sleep(0.2)  # what was read before is believed for 0.1 s
    for server in (jobs, other):
        assert [view.id for view in server.live()] == [first, *wanted]
    other.move(first, 0, TEACHES)  # it runs: nothing to move
    jobs.stop(first)
    assert served(jobs, ids) == wanted


def test_while_starting_is_frozen_only_a_teacher_starts_on_any_server(start):
    jobs, other = start(), start()
    running = hold(jobs)
    waits = jobs.submit(RunSpec(name="waits"), visitor="a/1")
    with pytest.raises(SpecError, match=ONLY_TEACHER):
        other.freeze(True, PUPIL)
    other.freeze(True, TEACHES)
    other.freeze(True, TEACHES)  # a second press is harmless
    assert jobs.frozen() and other.frozen()
    for server in (jobs, other):
        with pytest.raises(SpecError, match="The teacher has stopped new starts"):
            server.submit(RunSpec(name="no"), visitor="a/1")
        with pytest.raises(SpecError, match="The teacher has stopped new starts"):
            server.submit(RunSpec(name="no"), "probe.cost", visitor="a/1")
    theirs = [jobs.submit(RunSpec(name="t"), visitor=visitor) for visitor in ("here/1", f"{TEACHER}/2", "")]
    jobs.stop(running)
    assert served(jobs, [waits, *theirs])  # what waited goes on
    stopped = jobs.submit(RunSpec(name="until stopped"))
    jobs.stop(stopped)
    with pytest.raises(SpecError):
        jobs.resume(stopped, PUPIL)
    jobs.freeze(False, TEACHES)
    assert not other.frozen()
    assert served(other, [other.submit(RunSpec(name="again"), visitor="a/1")])


def test_a_run_that_is_stopped_by_freeze_goes_on_later(start):
    jobs = start()
    mine = jobs.submit(RunSpec(name="until stopped"), visitor="a/1")
    jobs.wait_for_step(mine, PATIENCE)
    jobs.stop(mine)
    jobs.wait(mine, PATIENCE)
    jobs.freeze(True)
    with pytest.raises(SpecError, match="The teacher has stopped new starts"):
        jobs.resume(mine, PUPIL)
    jobs.resume(mine, TEACHES)
    jobs.stop(mine)


def test_a_handle_tells_nothing_of_an_address():
    assert handle("0123456789abcdef/visit") == handle("fedcba9876543210/visit")
    assert handle("a/one") != handle("a/two") and handle("a/one").startswith("visitor ")
    assert [handle(each) for each in ("here/1", "teacher/1", "", "a/")] == [
        "this machine", "teacher", "nobody", "nobody",
    ]  # fmt: skip
