"""The queue: order, stops, what is kept, and what every page sees meanwhile."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psutil
import pytest
from sqlalchemy.exc import OperationalError

from core.jobs import keeper, queue, runner, turns
from core.jobs.executors import ThreadExecutor, WorkerExecutor
from core.jobs.manager import Jobs
from core.jobs.queue import Queue
from core.jobs.rights import Asker
from core.jobs.shared import forget_shared_jobs, make_jobs, shared_jobs
from core.jobs.views import MAX_REMEMBERED
from core.jobs.worker import run_job
from core.run.commands import Control
from core.run.digest import digest
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.artefacts import listed
from core.store.store import Store, StoredRun, run_folder
from tests.jobs.fake_engine import BATCH, WORKER, load, step, worker_processes

PATIENCE = 60.0  # seconds; only a test that fails waits so long
LONG = RunSpec(name="until stopped")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def start(home):
    """Starts a `Jobs` on the test's database; closes what is still open at the end."""
    opened = []

    def start(executor=None, slots=1):
        store = Store()
        jobs = Jobs(store, executor or ThreadExecutor(load), slots)
        opened.append((jobs, store))
        return jobs

    yield start
    for jobs, store in opened:
        jobs.close()
        store.close()


@pytest.fixture
def jobs(start):
    return start()


def begin(jobs, spec=LONG):
    """Submit a run that goes on until it is stopped, and wait for its first step."""
    run_id = jobs.submit(spec)
    jobs.wait_for_step(run_id, PATIENCE)
    assert jobs.view(run_id).state == "running"
    return run_id


def submit(jobs, name=""):
    return jobs.submit(RunSpec(name=name))


def until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def states(jobs, *ids):
    return [jobs.view(run_id).state for run_id in ids]


def test_a_run_from_the_queue_to_its_end(jobs):
    view = jobs.wait(submit(jobs, "tells"), PATIENCE)
    assert (view.state, view.position, view.ended) == ("finished", 0, True)
    assert view.reason == f"0 {run_folder(view.id)} {os.getpid()}"
    assert view.created_at <= view.started_at <= view.finished_at
    assert view.history.batch == BATCH
    assert [epoch["epoch"] for epoch in view.history.epochs] == [1, 2, 3]
    assert view.progress().share == 1
    (row,) = jobs.recent()
    assert (row.id, row.state, row.started_at, row.finished_at) == (
        view.id, "finished", view.started_at, view.finished_at,
    )  # fmt: skip
    assert (row.summary["result"]["epoch"], row.summary["last"]["epoch"]) == (3, 3)


def test_one_runs_and_the_rest_wait_in_order(jobs):
    first = begin(jobs)
    second, third = submit(jobs), submit(jobs)
    assert [(view.id, view.state, view.position) for view in jobs.live()] == [
        (first, "running", 0), (second, "queued", 1), (third, "queued", 2),
    ]  # fmt: skip
    jobs.stop(first)
    ended = [jobs.wait(run_id, PATIENCE) for run_id in (first, second, third)]
    assert [view.state for view in ended] == ["stopped", "finished", "finished"]
    assert ended[0].finished_at <= ended[1].started_at <= ended[1].finished_at <= ended[2].started_at
    assert jobs.live() == []


def test_two_slots_run_two(start):
    jobs = start(slots=2)
    first, second = begin(jobs), begin(jobs)
    third, fourth = submit(jobs), submit(jobs)
    assert [jobs.view(run_id).position for run_id in (first, second, third, fourth)] == [0, 0, 1, 2]
    assert states(jobs, first, second, third) == ["running", "running", "queued"]
    jobs.stop(second)
    assert jobs.wait(third, PATIENCE).state == "finished"
    assert states(jobs, first, second) == ["running", "stopped"]


def test_stopping_a_run_that_waits(jobs):
    first = begin(jobs)
    second, third = submit(jobs), submit(jobs)
    jobs.stop(second)
    view = jobs.view(second)
    assert (view.state, view.reason) == ("stopped", "Stopped before it began.")
    assert (view.started_at, view.finished_at is None) == (None, False)
    assert jobs.view(third).position == 1
    jobs.stop(second)  # again, and one that isn't there: nothing happens
    jobs.stop("0" * 32)
    assert states(jobs, first, second, third) == ["running", "stopped", "queued"]
    jobs.stop(first)
    assert jobs.wait(third, PATIENCE).state == "finished"
    assert jobs.view(second) is view


@pytest.mark.parametrize(
    ("asker", "said"),
    [
        (Asker("pupil/1"), "by whoever started it"),
        (Asker("pupil/2"), "from the address it was started from"),
        (Asker("here/9"), "at the server's own machine"),
        (Asker("teacher/4"), "by the teacher"),
        (Asker("other/3", "its key"), "by another visitor"),
    ],
)
def test_a_stopped_run_says_by_whom(jobs, asker, said):
    told = {"visitor": "pupil/1", "key": "its key"}
    runs, waits = jobs.submit(LONG, **told), jobs.submit(RunSpec(), **told)
    jobs.wait_for_step(runs, PATIENCE)
    jobs.stop(waits, asker)
    assert jobs.view(waits).reason == f"Stopped before it began, {said}."
    jobs.stop(runs, asker)
    jobs.stop(runs, Asker("here/8"))  # too late: it was stopped
    ended = jobs.wait(runs, PATIENCE)
    assert (ended.state, ended.reason) == ("stopped", f"Stopped {said}.")
    assert jobs._store.run(runs).reason == ended.reason


def test_the_queue_is_bounded(jobs, monkeypatch):
    monkeypatch.setattr(turns, "MAX_WAITING", 2)
    begin(jobs)
    submit(jobs)
    submit(jobs)
    with pytest.raises(SpecError, match="2 runs are waiting already; stop one, or try later"):
        submit(jobs)


@pytest.mark.parametrize("run_id", ["", "0" * 32, "../../x", None])
def test_there_is_no_such_run(jobs, run_id):
    assert jobs.view(run_id) is None


def test_the_view_is_one_object_until_something_changes(jobs):
    first, second, third = begin(jobs), submit(jobs), submit(jobs)
    running, waiting = jobs.view(first), jobs.view(third)
    assert jobs.view(first) is running
    assert jobs.view(third) is waiting
    jobs.stop(second)
    assert jobs.view(first) is running
    assert jobs.view(third) is not waiting
    assert jobs.view(third).history is waiting.history
    jobs.stop(first)
    ended = jobs.wait(first, PATIENCE)
    assert ended.version > running.version
    assert running.state == "running"
    assert jobs.view(first) is ended


def test_views_are_consistent_while_events_pour_in(start, monkeypatch):
    """Readers on three threads: a version is one state of affairs, and never goes back."""
    jobs = start(WorkerExecutor(WORKER))
    ids = [submit(jobs) for _ in range(5)]
    seen: dict = {}
    problems = []

    def watch():
        latest = dict.fromkeys(ids, -1)
        while any(not jobs.view(run_id).ended for run_id in ids):
            for run_id in ids:
                view = jobs.view(run_id)
                known = seen.setdefault((run_id, view.version), view.history)
                same = (known.state, known.epochs, known.step) == (
                    view.history.state, view.history.epochs, view.history.step,
                )  # fmt: skip
                if not same or view.version < latest[run_id]:
                    problems.append(view)
                latest[run_id] = view.version

    threads = [threading.Thread(target=watch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert states(jobs, *ids) == ["finished"] * 5


def test_a_run_is_read_back_as_it_was(start):
    jobs = start()
    live = jobs.wait(submit(jobs), PATIENCE)
    jobs.close()
    read = start().view(live.id)
    assert read is not live
    assert (read.spec, read.version, read.state, read.reason) == (
        live.spec, live.version, live.state, live.reason,
    )  # fmt: skip
    for name in ("started", "epochs", "finished", "step", "loss", "penalty", "learning_rate"):
        assert getattr(read.history, name) == getattr(live.history, name), name
    assert (read.created_at, read.started_at, read.finished_at) == (
        live.created_at, live.started_at, live.finished_at,
    )  # fmt: skip


def test_two_servers_on_one_database_see_and_stop_each_others_runs(start):
    here, there = start(), start()
    run_id, waiting = begin(here), there.submit(LONG)
    there.wait_for_step(run_id, PATIENCE)
    elsewhere = there.view(run_id)
    assert (elsewhere.state, elsewhere.spec.name) == ("running", "until stopped")
    assert elsewhere.history.step == step(1)
    assert there.view(run_id) is elsewhere
    for server in (here, there):
        assert [(view.id, view.state, view.position) for view in server.live()] == [
            (run_id, "running", 0), (waiting, "queued", 1),
        ]  # fmt: skip
    began = time.monotonic()
    here.stop(waiting)
    there.stop(run_id, Asker("here/1"))
    assert there.wait(run_id, PATIENCE).state == "stopped"
    assert there.view(run_id).reason == "Stopped at the server's own machine."
    assert time.monotonic() - began < 5
    assert states(here, run_id, waiting) == states(there, run_id, waiting) == ["stopped", "stopped"]
    assert there.view(run_id) is there.view(run_id)
    assert {run.id for run in there.recent()} == {run_id, waiting}
    assert here.live() == there.live() == []


def test_two_servers_on_one_machine_train_one_run_at_a_time(start):
    servers = start(), start()
    ids = [servers[i % 2].submit(RunSpec(name="")) for i in range(6)]
    ended = [servers[0].wait(run_id, PATIENCE) for run_id in ids]
    assert [view.state for view in ended] == ["finished"] * 6
    spans = sorted((view.started_at, view.finished_at) for view in ended)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


def test_a_command_reaches_a_run_of_another_server(start):
    heard = []

    class Listening(ThreadExecutor):
        def execute(self, job, control, on_event):
            on_event({"event": "state", "state": "paused", "reason": ""})
            heard.extend(control.wait(PATIENCE))
            on_event({"event": "state", "state": "finished", "reason": ""})

    here, there = start(Listening(load)), start(Listening(load))
    run_id = here.submit(LONG)
    until(lambda: there.view(run_id).state == "paused")
    (there if here._runner.get(run_id) else here).command(run_id, {"command": "edit", "set": {"a": 1}})
    assert here.wait(run_id, PATIENCE).state == "finished"
    assert heard == [{"command": "edit", "set": {"a": 1}}]
    here.command(run_id, {"command": "pause"})  # it has ended: nothing happens
    assert here._queue.take_commands([run_id]) == []


def test_a_run_whose_lease_was_lost_is_stopped_and_stays_interrupted(start, monkeypatch):
    """A server that could not renew its lease, for it was held up, finds its run taken from it."""
    monkeypatch.setattr(keeper, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(Queue, "renew", lambda self, ids: set())
    monkeypatch.setattr(queue, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(queue, "HANGS_SECONDS", 0.0)
    monkeypatch.setattr(keeper, "LEASE_SECONDS", 10.0)
    here = start()
    run_id = begin(here)
    until(lambda: Store().run(run_id).state == "interrupted")
    monkeypatch.undo()
    until(lambda: here._runner._in_hand == {})
    view = here.view(run_id)
    assert (view.state, view.reason) == ("interrupted", queue.GONE)


def test_a_server_takes_what_another_one_has_queued(start):
    busy = start()
    first = begin(busy)
    second = busy.submit(RunSpec())
    idle = start(slots=2)
    assert busy.wait(second, PATIENCE).state == "finished"
    assert states(idle, first) == ["running"]


def test_progress_of_a_job_and_its_rows_are_seen(start):
    class Counting(ThreadExecutor):
        def execute(self, job, control, on_event):
            for done in (1, 2):
                on_event({"event": "progress", "done": done, "of": 4, "seconds_left": 8.0, "what": "λ"})
                on_event({"event": "row", "strength": 0.1 * done, "exact": None})
            on_event({"event": "artefact", "name": "a table", "digest": "a" * 64,
                      "media_type": "text/csv", "bytes": 3})  # fmt: skip
            control.stop.wait(PATIENCE)
            on_event({"event": "state", "state": "stopped", "reason": ""})

    here, there = start(Counting(load)), start(Counting(load))
    run_id = here.submit(LONG)
    for server in (here, there):
        until(lambda server=server: server.view(run_id).history.artefacts)
        history = server.view(run_id).history
        assert [row["strength"] for row in history.rows] == [0.1, 0.2]
        assert (history.progress_event["done"], history.progress(0.0).share) == (2, 0.5)
        assert history.artefacts[0]["name"] == "a table"
    # An event is seen a moment before its artefact is in the table.
    until(lambda: listed(here._store.engine, run_id))
    assert listed(here._store.engine, run_id) == [(run_id, "a table", "a" * 64, "text/csv", 3)]
    there.stop(run_id)
    assert here.wait(run_id, PATIENCE).state == "stopped"


def test_a_job_of_no_kind_is_refused_and_one_of_a_removed_kind_fails_in_a_sentence(start):
    jobs = start(ThreadExecutor(lambda: (run_job, Control)))
    with pytest.raises(SpecError, match="kind: there is no kind of job called 'trian'; did you mean train"):
        jobs.submit(RunSpec(), kind="trian")
    with pytest.raises(SpecError, match="must be finite, and nan is not"):
        jobs.submit(RunSpec(), inputs={"a": float("nan")})
    jobs._store.create("a" * 32, RunSpec(), 1.0, kind="removed")
    jobs._runner.wake()
    view = jobs.wait("a" * 32, PATIENCE)
    assert (view.state, view.reason[:46]) == ("failed", "kind: there is no kind of job called 'removed'")


def test_an_equal_job_that_has_finished_is_found(jobs):
    spec = RunSpec(name="", seed=4)
    assert jobs.already(spec) is None
    run_id = jobs.wait(jobs.submit(spec), PATIENCE).id
    assert jobs.already(spec.model_copy(update={"name": "another name"})).id == run_id
    assert jobs.already(spec, inputs={"more": 1}) is None
    assert jobs.already(spec.model_copy(update={"seed": 5})) is None
    folder = RunSpec(data={"name": "folder", "path": "/home/me/images"})
    assert jobs.wait(jobs.submit(folder), PATIENCE).state == "finished"
    assert jobs.already(folder) is None  # what lies there may be another now
    jobs.delete(run_id)
    assert jobs.already(spec) is None


def test_what_a_person_writes_about_a_run_is_seen_by_every_server(start):
    here, there = start(), start()
    running, ended = begin(here), "0" * 32
    here._store.create(ended, RunSpec(name="before"), 1.0)
    here._store.set_state(ended, "finished")
    there.wait_for_step(running, PATIENCE)
    for run_id in (running, ended):
        before = there.view(run_id)
        here.rename(run_id, " A better name ")
        here.annotate(run_id, note="λ is too *high*", tags=["class 9b", " class 9b", ""])
        here.star(run_id)
        for server in (here, there):
            until(lambda server=server, run_id=run_id: server.view(run_id).starred)
            view = server.view(run_id)
            assert (view.name, view.spec.name, view.note) == ("A better name",) * 2 + ("λ is too *high*",)
            assert (view.tags, view.version) == (("class 9b",), before.version)
    with pytest.raises(SpecError, match="stop it first"):
        here.delete(running)
    here.delete(ended)
    assert here.view(ended) is None
    until(lambda: there.view(ended) is None)
    assert [run.id for run in there.recent()] == [running]
    assert there.restore(ended)
    assert there.view(ended).name == "A better name"
    assert len(here.recent()) == 2


def test_the_shared_manager_is_one_until_it_is_forgotten(home, monkeypatch):
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")
    with ThreadPoolExecutor(4) as pool:
        (first,) = set(pool.map(lambda _: shared_jobs(), range(4)))
    forget_shared_jobs()
    assert first.closed
    assert shared_jobs() is not first
    forget_shared_jobs()
    forget_shared_jobs()


def test_few_ended_runs_are_remembered_and_the_rest_is_read_back(jobs):
    ids = [submit(jobs) for _ in range(MAX_REMEMBERED + 3)]
    last = jobs.wait(ids[-1], PATIENCE)
    assert len(jobs._archive._known) == MAX_REMEMBERED
    assert jobs.view(ids[0]).state == "finished"
    assert jobs.view(ids[0]) is jobs.view(ids[0])
    assert jobs.view(ids[-1]) is last


@pytest.mark.parametrize(("name", "ends"), [("killed", "interrupted"), ("exits", "failed")])
def test_after_a_worker_has_died_the_next_run_works(start, name, ends):
    jobs = start(WorkerExecutor(WORKER))
    bad, good = submit(jobs, name), submit(jobs)
    failed = jobs.wait(bad, PATIENCE)
    assert failed.state == ends
    assert failed.reason.startswith("The worker process ")
    assert jobs.wait(good, PATIENCE).state == "finished"
    assert jobs.recent()[-1].reason == failed.reason


def test_an_executor_that_breaks_fails_the_run_and_not_the_queue(start):
    class Broken(ThreadExecutor):
        def execute(self, job, control, on_event):
            if job.spec.name == "break":
                raise RuntimeError("oh")
            if job.spec.name != "vanish":
                super().execute(job, control, on_event)

    jobs = start(Broken(load))
    broken, vanished, good = (jobs.wait(submit(jobs, name), PATIENCE) for name in ("break", "vanish", ""))
    assert broken.reason == "Augury could not compute this run: RuntimeError: oh"
    assert vanished.reason == "The run ended without saying why."
    assert [view.state for view in (broken, vanished, good)] == ["failed", "failed", "finished"]


def test_a_store_that_cannot_be_read_as_a_run_ends_costs_no_slot(jobs, monkeypatch):
    run_id = begin(jobs)
    read, failed = jobs._store.run, []

    def run(wanted):
        if threading.current_thread().name == "jobs-0" and not failed:
            failed.append(wanted)
            raise OperationalError("SELECT", {}, Exception("database is locked"))
        return read(wanted)

    monkeypatch.setattr(jobs._store, "run", run)
    jobs.stop(run_id)
    assert jobs.wait(run_id, PATIENCE).state == "stopped"
    assert failed == [run_id]
    assert jobs.wait(submit(jobs), PATIENCE).state == "finished"


def test_a_store_that_is_full_for_a_while_loses_nothing(jobs, monkeypatch):
    append, failures = jobs._store.append, iter(range(3))

    def sometimes(run_id, numbered):
        if next(failures, None) is not None:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        append(run_id, numbered)

    monkeypatch.setattr(jobs._store, "append", sometimes)
    view = jobs.wait(submit(jobs), PATIENCE)
    assert view.state == "finished"
    numbers = [number for number, _ in jobs._store.events(view.id)]
    assert numbers == list(range(1, view.version + 1))


def test_an_end_that_can_not_be_stored_is_stored_later(jobs, monkeypatch):
    mark, failures = jobs._queue.mark, iter(range(2))

    def sometimes(*arguments, **columns):
        if next(failures, None) is not None:
            raise OperationalError("UPDATE", {}, Exception("database or disk is full"))
        return mark(*arguments, **columns)

    monkeypatch.setattr(jobs._queue, "mark", sometimes)
    monkeypatch.setattr(keeper, "HEARTBEAT_SECONDS", 0.1)
    first, second = submit(jobs), submit(jobs)
    assert jobs.wait(first, PATIENCE).state == "finished"
    assert jobs.wait(second, PATIENCE).state == "finished"
    assert [run.state for run in jobs.recent()] == ["finished"] * 2
    assert jobs.recent()[-1].summary["epochs"] == 3


def test_a_run_that_can_not_be_stored_is_refused_in_a_sentence(jobs, monkeypatch):
    def full(*arguments, **columns):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(jobs._store, "create", full)
    with pytest.raises(SpecError, match="could not be stored: database or disk is full; is the disk full"):
        submit(jobs)


def test_steps_of_a_long_run_are_stored_ever_wider_apart(jobs, monkeypatch):
    """A clock that runs fast: a step a second for 20,000 seconds. All of them are stored until the
    spacing, a 10,000th of the time since the start, is more than a second; then every other one."""
    stored = StoredRun(
        id="0" * 32,
        name="",
        spec="{}",
        state="running",
        reason="",
        created_at=0.0,
        started_at=0.0,
        finished_at=None,
        summary=None,
    )
    run = runner.InHand(stored, 0.0, unstored=[])
    now = [0.0]
    monkeypatch.setattr(runner.time, "time", lambda: now[0])
    for number in range(1, 20_001):
        now[0] = float(number)
        event = {"event": "step", "step": number, "epoch": 0.0, "loss": 1, "penalty": 1, "learning_rate": 1}
        jobs._runner._take_in(run, event)
    stored = [event["step"] for _, event in run.unstored]
    assert stored[:10_000] == list(range(1, 10_001))
    assert stored[10_000:] == list(range(10_002, 20_001, 2))
    assert run.builder.version == 20_001


def test_closing_interrupts_what_runs_and_what_waits_is_taken_by_the_next_server(start):
    executor = WorkerExecutor(WORKER)
    jobs = start(executor)
    running, waiting = begin(jobs), submit(jobs)
    jobs.close()
    assert worker_processes() == []
    assert states(jobs, running, waiting) == ["interrupted", "queued"]
    again = start()
    assert again.wait(waiting, PATIENCE).state == "finished"
    for server in (jobs, again):
        assert server.view(running).state == "interrupted"
        assert server.view(running).reason == "Augury was closed before this run had ended."
    with pytest.raises(SpecError, match="Augury is closing"):
        submit(jobs)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("pass", "Augury was closed before this run had ended."),
        (
            "os.kill(os.getpid(), 9)",
            "The server stopped during this run; it can go on from its last checkpoint.",
        ),
    ],
)
def test_a_server_that_ends_leaves_no_worker_and_no_run_behind(start, ending, reason):
    """A server process with one run going and one waiting ends, well or badly."""
    script = f"""
import os
from core.jobs.executors import WorkerExecutor
from core.jobs.manager import Jobs
from core.run.spec import RunSpec
from core.store.store import Store
from tests.jobs.fake_engine import WORKER
jobs = Jobs(Store(), WorkerExecutor(WORKER))
ids = [jobs.submit(RunSpec(name="until stopped")) for _ in range(2)]
jobs.wait_for_step(ids[0])
import psutil
print(*ids, *(child.pid for child in psutil.Process().children()), flush=True)
{ending}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    *ids, worker = done.stdout.split()
    assert done.stderr == ""
    psutil.wait_procs([psutil.Process(int(worker))] if psutil.pid_exists(int(worker)) else [], timeout=30)
    assert not psutil.pid_exists(int(worker)) or psutil.Process(int(worker)).status() == "zombie"
    after = start()
    assert (after.view(ids[0]).state, after.view(ids[0]).reason) == ("interrupted", reason)
    after.wait_for_step(ids[1], PATIENCE)
    assert after.view(ids[1]).state == "running"


def test_the_environment_says_where_everything_is(home, monkeypatch):
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")
    monkeypatch.setenv("AUGURY_DATABASE_URL", f"sqlite:///{home / 'elsewhere.db'}")
    jobs = make_jobs()
    assert isinstance(jobs._executor, ThreadExecutor)
    assert (home / "elsewhere.db").exists()
    jobs.close()
    monkeypatch.setenv("AUGURY_SLOTS", "3")
    jobs = make_jobs()
    assert jobs._queue.slots(quick=False) == 3
    jobs.close()
    monkeypatch.setenv("AUGURY_SLOTS", "0")
    with pytest.raises(SpecError, match=r"AUGURY_SLOTS: '0' is not a number from 1 to 64\."):
        make_jobs()


@pytest.mark.parametrize(
    "text", ["'" + "[" * 200_000 + "'", "cast(x'ff41' as text)", '\'{"command": "edit", "set": {"a": 1}}\'']
)
def test_a_damaged_or_foolish_command_in_the_store_harms_nothing(start, text):
    jobs = start()
    run_id = begin(jobs)
    with jobs._store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"insert into commands (run_id, command, created_at) values ('{run_id}', {text}, 0)"
        )
    until(lambda: not jobs._queue.take_commands([run_id]))
    time.sleep(2 * keeper.COMMAND_SECONDS)
    assert jobs._keeper.is_alive() and jobs.view(run_id).state == "running"
    jobs.stop(run_id)
    assert jobs.wait(run_id, PATIENCE).state == "stopped"


@pytest.mark.parametrize("lease", ["'abc'", "-1e300"])
def test_a_row_whose_lease_is_no_time_is_let_go_and_stops_no_server(start, lease):
    jobs = start()
    run_id = submit(jobs)
    jobs.wait(run_id, PATIENCE)
    with jobs._store.engine.begin() as connection:  # its owner, this process, lives
        connection.exec_driver_sql(
            f"update runs set state = 'running', lease_until = {lease} where id = '{run_id}'"
        )
    until(lambda: jobs._store.run(run_id).state != "running")
    assert jobs._keeper.is_alive()
    assert start().wait(submit(jobs), PATIENCE).state == "finished"


def test_a_live_server_of_this_machine_is_not_gone_because_its_lease_ran_out(start):
    jobs = start()
    run_id = begin(jobs)
    with jobs._store.engine.begin() as connection:  # as after a lock that was held for long
        connection.exec_driver_sql(f"update runs set lease_until = lease_until - 30 where id = '{run_id}'")
    assert jobs._queue.interrupt_orphans() == []
    assert jobs.view(run_id).state == "running"
    jobs.stop(run_id)
    assert jobs.wait(run_id, PATIENCE).state == "stopped"


def test_a_run_that_was_edited_is_another_job_than_the_one_that_was_asked_for(start):
    class Edited(ThreadExecutor):
        def execute(self, job, control, on_event):
            change = {"step": 2, "set": {"optimiser.lr": 0.5}, "was": {"optimiser.lr": 0.1}}
            on_event({"event": "edit", **change})
            on_event({"event": "state", "state": "finished", "reason": ""})

    jobs = start(Edited(load))
    spec = RunSpec()
    run_id = jobs.submit(spec)
    assert jobs.wait(run_id, PATIENCE).state == "finished"
    assert jobs.already(spec) is None
    edits = [{"step": 2, "set": {"optimiser.lr": 0.5}}]
    assert jobs._store.find_finished(digest("train", spec, edits=edits)).id == run_id
