"""Runs that were cut go on: killed worker, killed server, another server; and runs that branch."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import psutil
import pytest

from core.catalogues import completed
from core.jobs.executors import WorkerExecutor
from core.jobs.fork import forks
from core.jobs.manager import Jobs
from core.jobs.queue import Queue
from core.run.errors import SpecError
from core.run.spec import parse
from core.store.store import Store, run_folder
from core.train.loop import run
from tests.train.small_runs import epochs
from tests.train.steered_runs import SMALL_CNN, same_weights

PATIENCE = 120
LONG = SMALL_CNN | {"train": SMALL_CNN["train"] | {"epochs": 40}}
SPEC = completed(parse(LONG))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0.05")
    monkeypatch.setenv("AUGURY_THREADS", "1")
    return tmp_path / "home"


@pytest.fixture
def server():
    made = []

    def start():
        made.append(Jobs(Store(), WorkerExecutor()))
        return made[-1]

    yield start
    for jobs in made:
        jobs.close()


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The epochs of the run that is never cut, as a worker computes it, and its folder."""
    folder = tmp_path_factory.mktemp("straight")
    command = [sys.executable, "-m", "core", "run", "-", "--out", str(folder)]
    environment = {**os.environ, "AUGURY_THREADS": "1"}
    done = subprocess.run(command, input=SPEC.to_json(), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return epochs(map(json.loads, done.stdout.splitlines())), folder


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def kill_workers():
    for child in psutil.Process().children():
        if child.cmdline()[-1:] == ["worker"]:
            child.send_signal(signal.SIGKILL)


def after_epochs(jobs, run_id, count):
    until(lambda: len(jobs.view(run_id).history.epochs) >= count)
    until((run_folder(run_id) / "checkpoint.safetensors").is_file)


def test_a_run_whose_worker_is_killed_goes_on_and_is_the_run_that_was_not(server, straight):
    jobs = server()
    run_id = jobs.submit(SPEC)
    for count in (2, 7):
        after_epochs(jobs, run_id, count)
        kill_workers()
        cut = jobs.wait(run_id, PATIENCE)
        assert cut.state == "interrupted" and cut.reason.startswith(
            "The worker process was killed by signal 9"
        )
        jobs.resume(run_id)
    whole = jobs.wait(run_id, PATIENCE)
    assert whole.state == "finished" and plain(epochs(whole.history.epochs)) == plain(straight[0])
    assert same_weights(run_folder(run_id), straight[1])
    # Whoever reads it back from the store sees the same: each epoch once, and in its place.
    assert plain(epochs(server().view(run_id).history.epochs)) == plain(straight[0])
    with pytest.raises(SpecError, match="can't go on"):
        jobs.resume(run_id)


def plain(told):
    """Epochs as a history keeps them, and the last epoch's matrix left out."""
    dropped = ("batch_losses", "confusion")
    return [{name: value for name, value in event.items() if name not in dropped} for event in told]


@pytest.mark.parametrize("by_itself", [False, True])
def test_a_run_whose_server_is_killed_goes_on_with_another(server, straight, by_itself):
    script = f"""
import sys, time
from core.jobs.executors import WorkerExecutor
from core.jobs.manager import Jobs
from core.jobs.queue import Queue
from core.run.spec import parse
from core.store.store import Store
jobs = Jobs(Store(), WorkerExecutor())
run_id = jobs.submit(parse(sys.stdin.read()))
jobs.resume_by_itself(run_id, {by_itself})
while len(jobs.view(run_id).history.epochs) < 3: time.sleep(0.01)
print(run_id, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        other.stdin.write(SPEC.to_json())
        other.stdin.close()
        run_id = other.stdout.readline().strip()
        other.kill()
    jobs = server()
    if not by_itself:
        assert jobs.view(run_id).state == "interrupted"
        jobs.resume(run_id)
    whole = jobs.wait(run_id, PATIENCE)
    assert whole.state == "finished" and plain(epochs(whole.history.epochs)) == plain(straight[0])
    assert same_weights(run_folder(run_id), straight[1])
    assert not list(run_folder(run_id).rglob("*.part"))


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(server, straight, monkeypatch):
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "1000")
    jobs = server()
    run_id = jobs.submit(SPEC)
    jobs.wait_for_step(run_id, PATIENCE)
    kill_workers()
    jobs.wait(run_id, PATIENCE)
    (run_folder(run_id) / "checkpoint.safetensors").unlink(missing_ok=True)
    jobs.resume(run_id)
    assert plain(epochs(jobs.wait(run_id, PATIENCE).history.epochs)) == plain(straight[0])


def test_a_branch_goes_on_from_a_checkpoint_also_when_its_parent_is_gone(server, straight):
    jobs = server()
    parent = jobs.submit(SPEC)
    jobs.wait(parent, PATIENCE)
    at = forks(parent)[0]
    fork = jobs.fork(parent, at.step)
    assert (fork.inputs, fork.spec) == ({"parent": parent, "step": at.step}, SPEC)
    jobs.branch(fork, SPEC)  # changes nothing
    (same,) = jobs.children(parent)
    jobs.delete(parent)
    whole = jobs.wait(same.id, PATIENCE)
    assert plain(epochs(whole.history.epochs)) == plain(straight[0])[at.epochs :]
    assert same_weights(run_folder(same.id), straight[1])
    assert whole.parents == (jobs._store.run(parent).digest,)
    assert jobs.already(SPEC, inputs=fork.inputs, parents=fork.parents).id == same.id


def test_a_branch_that_cannot_be_is_refused_and_leaves_nothing(server, home):
    jobs = server()
    parent = jobs.submit(completed(parse(SMALL_CNN)))
    jobs.wait(parent, PATIENCE)
    at = forks(parent)[-1]
    folders = set((home / "runs").iterdir())
    with pytest.raises(SpecError, match="3 epochs are done already"):
        jobs.branch(jobs.fork(parent, at.step), completed(parse(SMALL_CNN)))
    with pytest.raises(SpecError, match="No checkpoint of step 7"):
        jobs.fork(parent, 7)
    with pytest.raises(SpecError, match="not there any more"):
        jobs.fork("0" * 32, 7)
    other = completed(parse(LONG | {"model": {"arch": "mlp"}}))
    with pytest.raises(SpecError, match="the same network"):
        jobs.branch(jobs.fork(parent, at.step), other)
    assert set((home / "runs").iterdir()) == folders


def test_a_paused_run_gives_its_place_to_one_that_waits_and_goes_on_after(server, straight, monkeypatch):
    monkeypatch.setattr("core.jobs.runner.PARK_SECONDS", 0.3)
    jobs = server()
    paused = jobs.submit(SPEC)
    jobs.wait_for_step(paused, PATIENCE)
    jobs.command(paused, {"command": "pause"})
    until(lambda: jobs.view(paused).state == "paused")
    time.sleep(0.8)
    assert jobs.view(paused).state == "paused"  # nobody waits
    other = jobs.submit(completed(parse(SMALL_CNN)))
    assert jobs.wait(other, PATIENCE).state == "finished"
    parked = jobs.view(paused)
    assert parked.state == "stopped" and "paused while others waited" in parked.reason
    jobs.resume(paused)
    whole = jobs.wait(paused, PATIENCE)
    assert whole.state == "finished" and plain(epochs(whole.history.epochs)) == plain(straight[0])


def test_commands_and_edits_are_told_once_after_a_kill(server):
    jobs = server()
    run_id = jobs.submit(SPEC)
    jobs.wait_for_step(run_id, PATIENCE)
    jobs.command(run_id, {"command": "edit", "set": {"optimiser.lr": 0.003}})
    until(lambda: jobs.view(run_id).history.edits)
    at = jobs.view(run_id).history.edits[0]["step"]
    after_epochs(jobs, run_id, 3)
    kill_workers()
    jobs.wait(run_id, PATIENCE)
    jobs.resume(run_id)
    whole = jobs.wait(run_id, PATIENCE)
    edits = [{"step": each["step"], "set": each["set"]} for each in whole.history.edits]
    assert edits == [{"step": at, "set": {"optimiser.lr": 0.003}}]
    again = list(run(SPEC, edits=edits))
    assert len(whole.history.epochs) == 40
    assert [e["epoch"] for e in epochs(again)] == [e["epoch"] for e in whole.history.epochs]


def test_a_branch_from_a_checkpoint_that_is_replaced_meanwhile_is_refused(server, home):
    jobs = server()
    parent = jobs.submit(completed(parse(SMALL_CNN)))
    jobs.wait(parent, PATIENCE)
    folder = run_folder(parent)
    last = folder / "checkpoint.safetensors"
    for path in (folder / "checkpoints").iterdir():
        if path.name.startswith("000000030"):
            path.unlink()
    fork = jobs.fork(parent, 30)
    assert fork.at.path == last
    shutil.copyfile(folder / "checkpoints" / "000000010.safetensors", last)  # another one now
    folders = set((home / "runs").iterdir())
    longer = completed(parse(SMALL_CNN | {"train": SMALL_CNN["train"] | {"epochs": 5}}))
    with pytest.raises(SpecError, match="No checkpoint of step 30"):
        jobs.branch(fork, longer)
    assert set((home / "runs").iterdir()) == folders
    with pytest.raises(SpecError, match="No checkpoint of step 30"):
        jobs.fork(parent, 30)


def test_a_run_that_goes_on_without_a_checkpoint_makes_its_edits_again(server):
    jobs = server()
    run_id = jobs.submit(SPEC)
    jobs.wait_for_step(run_id, PATIENCE)
    jobs.command(run_id, {"command": "edit", "set": {"optimiser.lr": 0.003}})
    until(lambda: jobs.view(run_id).history.edits)
    edits = [{"step": e["step"], "set": e["set"]} for e in jobs.view(run_id).history.edits]
    after_epochs(jobs, run_id, 3)
    kill_workers()
    assert jobs.wait(run_id, PATIENCE).state == "interrupted"
    for path in run_folder(run_id).rglob("*.safetensors"):  # to make room for other runs
        path.unlink()
    jobs.resume(run_id)
    whole = jobs.wait(run_id, PATIENCE)
    assert [{"step": e["step"], "set": e["set"]} for e in whole.history.edits] == edits
    again = plain(epochs(run(SPEC, edits=edits)))
    assert plain(epochs(whole.history.epochs)) == plain(json.loads(json.dumps(again)))
    # Whoever reads it back from the store sees the same, and each step once.
    stored = server().view(run_id).history
    assert epochs(stored.epochs) == epochs(whole.history.epochs)
    assert list(stored.penalty.x) == sorted(stored.penalty.x)


def test_two_servers_that_have_a_run_go_on_at_once_have_it_go_on_once(server):
    one, other = server(), server()
    run_id = one.submit(SPEC)
    after_epochs(one, run_id, 2)
    kill_workers()
    one.wait(run_id, PATIENCE)
    until(lambda: other.view(run_id).ended)
    said = []

    def resume(jobs):
        try:
            jobs.resume(run_id)
            said.append("goes on")
        except SpecError:
            said.append("refused")

    threads = [threading.Thread(target=resume, args=(jobs,)) for jobs in (one, other) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["goes on", *["refused"] * 7]
    with pytest.raises(SpecError, match="has not ended"):
        one.delete(run_id)  # it is in the queue, or runs
    until(lambda: one.view(run_id).state == "finished")  # what the other did may be a second old here
    told = [event["event"] for _, event in Store().events(run_id)]
    assert told.count("resumed") == 1


def test_a_run_that_is_deleted_does_not_go_on_and_one_that_goes_on_is_not_deleted():
    store = Store()
    queue = Queue(store)
    for number in range(20):
        run_id = f"{number:032x}"
        store.create(run_id, SPEC, time.time())
        store.set_state(run_id, "stopped")
        done = []
        both = [
            threading.Thread(target=tried, args=(done, store.delete, run_id)),
            threading.Thread(target=tried, args=(done, queue.put_back, run_id)),
        ]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        stored = store.run(run_id)
        assert done in (["delete"], ["put_back"])
        assert (stored.deleted_at is not None, stored.state == "queued") == (
            done == ["delete"],
            done == ["put_back"],
        )


def tried(done, act, run_id):
    with suppress(SpecError):
        if act(run_id) is not False:
            done.append(act.__name__)
