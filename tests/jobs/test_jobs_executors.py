"""Worker processes: what they are told, what they say, and every way they can end."""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from core.catalogue import imported
from core.jobs.executors import (
    EXECUTORS,
    Job,
    ThreadExecutor,
    WorkerExecutor,
    catalogue,
    follow,
    make_executor,
    process,
)
from core.jobs.process import WorkerProcess
from core.run.commands import Control
from core.run.spec import RunSpec
from tests.jobs.fake_engine import BATCH, WORKER, load, step, worker_processes


@pytest.fixture(params=["worker", "thread"])
def executor(request):
    executor = WorkerExecutor(WORKER) if request.param == "worker" else ThreadExecutor(load)
    yield executor
    executor.close()


@pytest.fixture
def workers():
    executor = WorkerExecutor(WORKER, stop_seconds=0.3)
    yield executor
    executor.close()


def execute(executor, name, *, control=None, out=None, seed=0, on_event=lambda event: None):
    events = []

    def take(event):
        events.append(event)
        on_event(event)

    spec = RunSpec(name=name, seed=seed)
    executor.execute(Job("f" * 32, spec, out=out), control or Control(), take)
    return events


def ended(events):
    assert events[-1]["event"] == "state"
    return events[-1]["state"], events[-1]["reason"]


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def test_events_arrive_in_order(executor):
    kinds = [event["event"] for event in execute(executor, "")]
    assert kinds == ["state", "started", "batch", *["step", "epoch"] * 3, "finished", "state"]


def test_spec_and_folder_arrive(executor, tmp_path):
    state, reason = ended(execute(executor, "tells", out=tmp_path / "wäights", seed=7))
    assert state == "finished"
    assert reason.startswith(f"7 {tmp_path / 'wäights'} ")


def test_a_stop_is_heard(executor):
    control = Control()
    events = execute(executor, "until stopped", control=control, on_event=lambda _: control.stop.set())
    assert ended(events) == ("stopped", "")


def test_kind_inputs_and_commands_arrive(executor):
    control, events = Control(), []
    control.post({"command": "pause"})  # before the start

    def take(event):
        events.append(event)
        if event["event"] == "started":
            control.post({"command": "edit", "set": {"optimiser.lr": 0.1}})

    job = Job("f" * 32, RunSpec(name="listens"), kind="probe.of", inputs={"a": [1]})
    executor.execute(job, control, take)
    heard = [{"command": "pause"}, {"command": "edit", "set": {"optimiser.lr": 0.1}}]
    assert ended(events) == ("finished", f"probe.of {{'a': [1]}} {heard}")


def test_a_worker_hears_of_a_command_at_once(monkeypatch):
    monkeypatch.setattr(follow, "LISTEN_SECONDS", 60.0)
    executor, control = WorkerExecutor(WORKER), Control()
    job, events = Job("a" * 32, RunSpec(name="listens")), []
    running = threading.Thread(target=executor.execute, args=(job, control, events.append))
    running.start()
    try:
        while not any(event["event"] == "batch" for event in events):
            time.sleep(0.01)
        control.post({"command": "pause"})
        control.post({"command": "resume"})
        running.join(30)
        assert not running.is_alive() and ended(events)[0] == "finished"
    finally:
        executor.close()


def test_a_stop_before_the_start_is_heard(executor):
    control = Control()
    control.stop.set()
    assert ended(execute(executor, "until stopped", control=control)) == ("stopped", "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refused", "train.epochs: it is refused."),
        ("raises", "Training failed: RuntimeError: too bad"),
        ("silent", "Training ended without saying why."),
    ],
)
def test_what_goes_wrong_inside_a_run_is_its_reason(executor, name, reason):
    assert ended(execute(executor, name)) == ("failed", reason)
    assert ended(execute(executor, ""))[0] == "finished"


def test_numbers_that_json_does_not_know_become_none(executor):
    losses = [event["loss"] for event in execute(executor, "not finite") if event["event"] == "step"]
    assert losses[:2] == [None, None]


def test_one_worker_serves_one_run_after_another(workers):
    pids = {ended(execute(workers, "tells"))[1].split()[-1] for _ in range(2)}
    assert len(pids) == 1
    assert pids != {str(os.getpid())}


def test_what_libraries_print_does_not_disturb(workers):
    events = execute(workers, "prints")
    assert events[3] == step(7)
    assert ended(events)[0] == "finished"


@pytest.mark.parametrize(
    ("name", "ends", "reason"),
    [
        (
            "killed",
            "interrupted",
            "The worker process was killed by signal 9 (often: out of memory; try a smaller",
        ),
        ("exits", "failed", "The worker process ended with exit status 3: a library says goodbye"),
    ],
)
def test_a_worker_that_dies_is_replaced(workers, name, ends, reason):
    state, said = ended(execute(workers, name))
    assert state == ends
    assert said.startswith(reason)
    assert ended(execute(workers, ""))[0] == "finished"


def test_a_worker_that_died_while_it_waited_is_replaced(workers):
    execute(workers, "")
    (waiting,) = workers._idle
    os.kill(waiting.pid, signal.SIGKILL)
    until(lambda: not waiting.is_alive())
    assert ended(execute(workers, ""))[0] == "finished"


def test_a_worker_that_holds_on_to_much_memory_is_replaced(workers, monkeypatch):
    execute(workers, "")
    (kept,) = worker_processes()
    monkeypatch.setattr(process, "IDLE_BYTES", 0)
    assert ended(execute(workers, ""))[0] == "finished"
    (other,) = worker_processes()
    assert other.pid != kept.pid and not kept.is_running()


def test_a_worker_that_does_not_stop_is_killed(workers):
    control = Control()
    events = execute(
        workers, "deaf", control=control, on_event=lambda event: event == step(1) and control.stop.set()
    )
    assert ended(events) == ("stopped", "It did not stop by itself within 0.3 s and was ended.")
    assert ended(execute(workers, ""))[0] == "finished"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["/no/such/program"], "The worker process could not be started: "),
        ([sys.executable, "-c", "import no_such"], "The worker process ended with exit status 1: Module"),
        ([sys.executable, "-c", "print('[1, 2]\\n\\xff{')"], "The worker process ended with exit status 0: "),
    ],
)  # fmt: skip
def test_a_command_that_is_no_worker(command, reason):
    executor = WorkerExecutor(command)
    executor.warm()
    state, said = ended(execute(executor, ""))
    assert state == "failed"
    assert said.startswith(reason)
    executor.close()


def test_a_warm_worker_is_used(workers):
    workers.warm()
    (waiting,) = worker_processes()
    workers.warm()
    assert worker_processes() == [waiting]
    assert ended(execute(workers, "tells"))[1].split()[-1] == str(waiting.pid)


def test_closing_ends_a_run_and_its_worker(workers):
    events, began = [], threading.Event()

    def compute():
        events.extend(execute(workers, "deaf", on_event=lambda event: event == step(1) and began.set()))

    thread = threading.Thread(target=compute)
    thread.start()
    assert began.wait(10)
    workers.close()
    thread.join(10)
    assert ended(events)[0] == "failed"
    assert worker_processes() == []
    assert ended(execute(workers, ""))[0] == "failed"  # and no new one is started
    assert worker_processes() == []


def test_the_worker_is_polite_and_waits_passively():
    worker = WorkerProcess(WORKER)
    assert worker.messages.get(timeout=60) == {"ready": True, "pid": worker.pid}
    process = psutil.Process(worker.pid)
    assert process.nice() == min(psutil.Process().nice() + 10, 19)
    assert process.environ()["OMP_WAIT_POLICY"] == "PASSIVE"
    os.kill(worker.pid, signal.SIGINT)  # Ctrl+C in a terminal reaches the worker too
    worker.send({"run": "a", "spec": {}, "out": None})
    assert worker.messages.get(timeout=60)["event"]["state"] == "running"
    worker.close()
    assert not worker.is_alive()


@pytest.mark.parametrize("name", ["", "until stopped", "deaf"])
def test_a_worker_does_not_outlive_its_parent(name):
    """The parent is killed as hard as can be while its worker waits, trains, or hears nothing."""
    script = f"""
import time
from core.jobs.process import WorkerProcess
worker = WorkerProcess({WORKER!r})
worker.messages.get()
worker.send({{"run": "a", "spec": {{"name": {name!r}}}, "out": None}})
while worker.messages.get()["event"]["event"] != "step":
    pass
print(worker.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, seconds=30.0)


def test_a_worker_that_holds_the_interpreter_does_not_outlive_its_parent(tmp_path):
    """As one does that loads torch. And it outlives the thread that started it, which may be a page's."""
    reached = tmp_path / "reached"
    load = f"lambda: (open({str(reached)!r}, 'w').close(), ctypes.PyDLL(None).sleep(60))"
    command = (sys.executable, "-c", f"import ctypes; from core.jobs.worker import serve; serve({load})")
    script = f"""
import pathlib, threading, time
from core.jobs.process import WorkerProcess
workers = []
thread = threading.Thread(target=lambda: workers.append(WorkerProcess({command!r})))
thread.start()
thread.join()
while not pathlib.Path({str(reached)!r}).exists():
    time.sleep(0.01)
time.sleep(0.2)
print(workers[0].pid, workers[0].is_alive(), flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid, alive = parent.stdout.readline().split()
    worker = psutil.Process(int(pid))
    assert alive == "True"
    parent.kill()
    parent.communicate()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, seconds=10.0)


@pytest.mark.parametrize("module", ["tests.jobs.fake_engine", "tests.interactive.fake_answers"])
def test_a_worker_whose_parent_was_killed_in_the_middle_of_a_line_ends(module):
    worker = subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        worker.communicate(b'{"run": "a", "id": 1, "spec": {"na', timeout=20)
    finally:
        worker.kill()


def test_the_environment_chooses(monkeypatch):
    monkeypatch.delenv("AUGURY_EXECUTOR", raising=False)
    assert isinstance(make_executor(), WorkerExecutor)
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")
    assert isinstance(make_executor(), ThreadExecutor)
    monkeypatch.setenv("AUGURY_EXECUTOR", "cluster")
    with pytest.raises(ValueError, match=r"AUGURY_EXECUTOR: there is no executor called 'cluster'"):
        make_executor()


def test_an_executor_whose_package_is_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("AUGURY_EXECUTOR", "ray")
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    with pytest.raises(ValueError) as refused:
        make_executor()
    assert str(refused.value) == (
        "AUGURY_EXECUTOR: 'ray' needs the package ray: python -m pip install -r requirements-server.txt."
    )


def test_every_executor_can_be_made(monkeypatch):
    for name, entry in EXECUTORS.items():
        monkeypatch.setenv("AUGURY_EXECUTOR", name)
        executor = make_executor()
        assert isinstance(executor, imported(entry.makes))
        executor.close()


def test_pictures_of_the_batch_are_asked_for(executor):
    assert BATCH in execute(executor, "")


def test_the_memory_of_the_worker_that_computes_a_job(workers):
    seen = []
    execute(workers, "", on_event=lambda event: seen.append(workers.resident_bytes("f" * 32)))
    assert seen[0] > 2**20 and workers.resident_bytes("another") == 0
    assert workers.resident_bytes("f" * 32) == 0  # it has ended
