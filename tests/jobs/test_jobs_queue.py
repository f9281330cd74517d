"""The queue in the database: nobody takes what another has, and what a dead server had is let go."""

import os
import platform
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid

import psutil
import pytest

from core.jobs import queue, runner
from core.jobs.executors import ThreadExecutor
from core.jobs.kinds import KINDS, Kind
from core.jobs.manager import Jobs
from core.jobs.queue import GONE, HANGS_SECONDS, Queue
from core.run.spec import RunSpec
from core.store.store import Store
from tests.jobs.fake_engine import epoch, load, state, step

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def store(home):
    store = Store()
    yield store
    store.close()


def new(store, created_at=1.0):
    run_id = uuid.uuid4().hex
    store.create(run_id, RunSpec(name="until stopped"), created_at)
    return run_id


def edit(home, statement, *values):
    connection = sqlite3.connect(home / "augury.db")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("column", ["created_at", "started_at", "rank", "visitor"])
def test_a_damaged_row_keeps_no_other_from_starting(home, store, column):
    damaged, sound = new(store), new(store, 2.0)
    if column == "started_at":  # of one that has ended
        edit(home, "update runs set state = 'finished', visitor = 'a/1' where id = ?", damaged)
    edit(home, f"update runs set {column} = 'abc' where id = ?", damaged)
    jobs = Jobs(store, executor=ThreadExecutor(load))
    try:
        deadline = time.monotonic() + PATIENCE
        while store.run(sound).state == "queued" and time.monotonic() < deadline:
            jobs.stop(damaged)  # if it has the slot
            time.sleep(0.05)
        assert store.run(sound).state == "running"
        assert jobs.view(sound) is not None
        jobs.stop(sound)
    finally:
        jobs.close()


def claim_at_once(num_claims, slots):
    """As many claims as threads, each with a store of its own; the ids that were given."""
    stores = [Store() for _ in range(num_claims)]
    start = threading.Barrier(num_claims)
    given = []

    def claim(queue):
        start.wait()
        given.append(queue.claim())

    threads = [threading.Thread(target=claim, args=(Queue(each, slots),)) for each in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in stores:
        each.close()
    assert len(given) == num_claims
    return [run_id for run_id in given if run_id]


def test_twenty_claims_at_once_get_twenty_jobs(store):
    ids = {new(store, float(i)) for i in range(20)}
    given = claim_at_once(20, slots=20)
    assert len(given) == 20
    assert set(given) == ids


def test_of_twenty_claims_for_one_slot_one_succeeds(store, monkeypatch):
    monkeypatch.setattr(Queue, "_num_running_here", lambda *_: 0)  # all look before the first has taken
    oldest, *_ = [new(store, float(i)) for i in range(20)]
    assert claim_at_once(20, slots=1) == [oldest]


def test_the_lease_of_what_runs_is_renewed_and_what_was_taken_away_is_told(store):
    ours, theirs = Queue(store, 2), Queue(store, 2)
    ids = [new(store), new(store)]
    assert {ours.claim(), ours.claim()} == set(ids)
    assert ours.renew(ids) == set()
    store.set_state(ids[0], "interrupted")
    assert ours.renew(ids) == {ids[0]}
    assert not ours.mark(ids[0], "finished", "")
    assert theirs.mark(ids[1], "finished", "")  # the same process
    assert [store.run(run_id).state for run_id in ids] == ["interrupted", "finished"]


def test_what_waits_is_stopped_once(store):
    jobs = Queue(store)
    run_id = new(store)
    assert jobs.end_waiting(run_id, "why")
    assert not jobs.end_waiting(run_id, "again")
    assert (store.run(run_id).state, store.run(run_id).reason) == ("stopped", "why")
    assert jobs.claim() is None


def test_commands_are_given_once_and_in_order(store, home):
    jobs, run_id = Queue(store), new(store)
    for number in range(3):
        jobs.send(run_id, {"command": "edit", "number": number})
    edit(home, "UPDATE commands SET command = '{' WHERE id = 2")
    assert jobs.take_commands([new(store)]) == []
    assert [command["number"] for _, command in jobs.take_commands([run_id])] == [0, 2]
    assert jobs.take_commands([run_id]) == []


def test_the_jobs_of_a_process_that_is_gone_are_interrupted(store, home):
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    theirs = f"{process.pid}/{psutil.Process(process.pid).create_time():.2f}/{platform.node()}"
    queued, running, ended, whole, ours = (new(store) for _ in range(5))
    for run_id in (running, whole, ours):
        store.set_state(run_id, "running")
    store.set_state(ended, "finished")
    store.append(running, [(1, state("running")), (2, epoch(1))])
    store.append(whole, [(1, state("running")), (2, state("finished", "it was killed while it said so"))])
    for run_id in (queued, running, ended, whole):
        edit(home, "UPDATE runs SET owner = ? WHERE id = ?", theirs, run_id)
    edit(home, "UPDATE runs SET owner = ? WHERE id = ?", queue.owner.this_process(), ours)
    jobs = Queue(store)
    assert jobs.interrupt_orphans() == []  # it is still there

    process.communicate()
    assert set(jobs.interrupt_orphans()) == {running, whole}
    states = [store.run(run_id).state for run_id in (queued, running, ended, whole, ours)]
    assert states == ["queued", "interrupted", "finished", "finished", "running"]
    assert store.run(running).reason == GONE
    assert store.run(running).finished_at is not None
    assert store.run(running).summary["epochs"] == 1
    assert jobs.interrupt_orphans() == []


def test_a_lease_that_ran_out_long_ago_is_taken_away_though_its_process_lives(store, home):
    jobs, run_id = Queue(store), new(store)
    assert jobs.claim() == run_id
    assert jobs.interrupt_orphans() == []
    edit(home, "UPDATE runs SET lease_until = ?", time.time() - 1)
    assert jobs.interrupt_orphans() == []  # its process lives: the database may have been locked
    edit(home, "UPDATE runs SET lease_until = ?", time.time() - HANGS_SECONDS - 1)
    assert jobs.interrupt_orphans() == [run_id]


SERVER = """
import sys
from core.jobs.executors import WorkerExecutor
from core.jobs.kinds import KINDS, Kind
from core.jobs.manager import Jobs
from core.run.spec import RunSpec
from core.store.store import Store
from tests.jobs.fake_engine import WORKER
jobs = Jobs(Store(), WorkerExecutor(WORKER))
import psutil
for _ in sys.stdin:
    run_id = jobs.submit(RunSpec(name="until stopped"))
    jobs.wait_for_step(run_id)
    print(run_id, *(child.pid for child in psutil.Process().children()), flush=True)
"""


def test_two_servers_in_two_processes_share_one_queue_and_one_is_killed(store, monkeypatch):
    """Each sees the other's run, stops it, and waits for its turn; killed as hard as can be, a server leaves
    no worker, and its run is interrupted for the other within 15 s."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 60.0)  # this one takes only what it is told of
    there = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    here = Jobs(store, ThreadExecutor(load))
    try:

        def begin_there():
            there.stdin.write("\n")
            there.stdin.flush()
            run_id, *workers = there.stdout.readline().split()
            return run_id, [psutil.Process(int(pid)) for pid in workers]

        first, _ = begin_there()
        here.wait_for_step(first, PATIENCE)
        seen = here.view(first)
        assert (seen.state, seen.history.step) == ("running", step(1))
        ours = here.submit(RunSpec())
        assert [(view.id, view.position) for view in here.live()] == [(first, 0), (ours, 1)]
        here.stop(first)
        assert here.wait(first, PATIENCE).state == "stopped"
        assert here.wait(ours, PATIENCE).state == "finished"  # here or there: whoever was first

        second, workers = begin_there()
        waiting = here.submit(RunSpec(name="until stopped"))
        os.kill(there.pid, signal.SIGKILL)
        killed = time.monotonic()
        there.wait()
        ended = here.wait(second, PATIENCE)
        assert (ended.state, ended.reason) == ("interrupted", GONE)
        assert time.monotonic() - killed < 15
        here.wait_for_step(waiting, PATIENCE)
        assert here.view(waiting).state == "running"
        _, alive = psutil.wait_procs(workers, timeout=15)
        assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
    finally:
        there.kill()
        there.communicate()
        here.close()


@pytest.fixture
def quick(monkeypatch):
    """A kind that is quick, and does what the fake engine does."""
    kind = Kind(name="look", title="A look", help="For a test.", run="unused:run", quick=True)
    monkeypatch.setitem(KINDS, "look", kind)
    return "look"


def test_a_quick_job_has_a_place_of_its_own_and_groups_come_last(store, quick):
    ours = Queue(store)
    trains = [new(store, at) for at in (1.0, 2.0)]

    def look(at, group=None):
        run_id = uuid.uuid4().hex
        store.create(run_id, RunSpec(), at, kind=quick, group=group)
        return run_id

    points = [look(3.0, "path"), look(4.0, "path")]
    alone = [look(5.0), look(6.0)]
    assert positions(ours, store) == dict(zip([*trains, *alone, *points], (0, 1, 0, 1, 2, 3), strict=True))
    assert ours.claim() == trains[0] and ours.claim() is None
    assert ours.claim(quick=True) == alone[0] and ours.claim(quick=True) is None
    assert positions(ours, store) == dict(zip([*trains, *alone, *points], (0, 1, 0, 1, 2, 3), strict=True))


def positions(ours, store):
    """How many come before each job, which both ways to ask agree on."""
    unfinished = store.unfinished()
    found = ours.positions(unfinished)
    for run in unfinished:
        assert run.state != "queued" or ours.position(run) == found[run.id]
    return found


def test_a_look_does_not_wait_for_a_run_that_trains(store, quick):
    jobs = Jobs(store, ThreadExecutor(load))
    trains = jobs.submit(RunSpec(name="until stopped"))
    look = jobs.submit(RunSpec(name="three epochs"), quick)
    assert jobs.wait(look, PATIENCE).ended
    assert not jobs.view(trains).ended
    assert [view.id for view in jobs.live()] == [trains]
    jobs.stop(trains)
    assert jobs.wait(trains, PATIENCE).state == "stopped"
    jobs.close()


def test_of_equal_jobs_the_one_that_says_most_is_shown(store, quick):
    jobs = Jobs(store, ThreadExecutor(load))
    spec = RunSpec(name="three epochs")

    def ask(word, group=None):
        return jobs.submit(spec, quick, {"word": word}, group=group)

    assert jobs.same(spec, quick, {"word": "a"}) is None
    first = ask("a")
    assert jobs.wait(first, PATIENCE).state == "finished"
    assert jobs.same(spec.model_copy(update={"name": "Another"}), quick, {"word": "a"}).id == first
    store.create(stopped := uuid.uuid4().hex, spec, time.time(), kind=quick, digest=store.run(first).digest)
    Queue(store).end_waiting(stopped, "It was stopped.")
    assert jobs.same(spec, quick, {"word": "a"}).id == first
    second, third = ask("a", "path"), ask("b", "path")
    jobs.wait(third, PATIENCE)
    assert jobs.same(spec, quick, {"word": "a"}).id == second
    assert {view.id for view in jobs.group("path")} == {second, third}
    jobs.close()
