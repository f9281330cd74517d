"""The real engine, through a worker and through a thread, as the app runs it."""

import subprocess
import sys

import psutil
import pytest
import torch

from core.jobs.executors import ThreadExecutor, WorkerExecutor
from core.jobs.fork import forks
from core.jobs.manager import Jobs
from core.processes import held_bytes
from core.run.spec import parse
from core.store.store import Store, run_folder

pytestmark = pytest.mark.alone
SPEC = parse(
    {
        "data": {"name": "digits", "train_images": 200},
        "model": {"arch": "cnn", "params": {"channels": [4, 8], "hidden": 16}},
        "regularisers": [{"kind": "l1", "strength": 1e-3}],
        "train": {"epochs": 2, "device": "cpu"},
    }
)
MEASURED = ("seconds", "images_per_second")


@pytest.fixture
def one_thread(monkeypatch, tmp_path):
    monkeypatch.setenv("AUGURY_THREADS", "1")
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_worker_and_thread_give_the_same_numbers_and_the_store_keeps_them(one_thread):
    figures = []
    for executor in (WorkerExecutor(), ThreadExecutor()):
        store = Store()
        jobs = Jobs(store, executor)
        view = jobs.wait(jobs.submit(SPEC), timeout=400)
        jobs.close()
        assert (view.state, view.reason) == ("finished", "")
        assert (run_folder(view.id) / "weights.safetensors").exists()
        assert [each.epochs for each in forks(view.id)] == [1, 2]  # to branch from, or to train on
        assert view.history.batch["images"]
        # Every event that the engine gives is believed when it is read back.
        assert [number for number, _ in store.events(view.id)] == list(range(1, view.version + 1))
        assert store.run(view.id).summary["last"]["epoch"] == 2
        store.close()
        figures.append(
            [{k: v for k, v in epoch.items() if k not in MEASURED} for epoch in view.history.epochs]
        )
    assert len(figures[0]) == 2
    assert figures[0] == figures[1]


def test_a_run_that_takes_too_much_memory_is_ended_and_says_so_and_the_next_one_runs(one_thread, monkeypatch):
    """What a link may ask for: some 3 GB of activations a step."""
    monkeypatch.setenv("AUGURY_RUN_BYTES", str(1400 * 2**20))
    wide = {"arch": "attention", "params": {"patch": 1, "width": 64, "depth": 4}}
    greedy = parse({"data": {"name": "digits"}, "model": wide, "train": {"epochs": 1, "batch_size": 1024}})
    store = Store()
    jobs = Jobs(store, WorkerExecutor())
    try:
        view = jobs.wait(jobs.submit(greedy), timeout=400)
        assert view.state == "failed"
        assert "needed more than 1.4 GiB of memory and was ended; try a smaller batch" in view.reason
        after = jobs.wait(jobs.submit(SPEC), timeout=400)
        assert (after.state, after.reason) == ("finished", "")
    finally:
        jobs.close()
        store.close()


def several(**train):
    return SPEC.model_copy(update={"train": SPEC.train.model_copy(update={"processes": 2, **train})})


def test_several_processes_train_the_same_in_a_worker_and_in_a_thread(one_thread):
    figures = []
    for executor in (WorkerExecutor(), ThreadExecutor()):
        store = Store()
        jobs = Jobs(store, executor)
        view = jobs.wait(jobs.submit(several()), timeout=400)
        jobs.close()
        store.close()
        assert (view.state, view.reason, view.history.started["processes"]) == ("finished", "", 2)
        figures.append(
            [{k: v for k, v in epoch.items() if k not in MEASURED} for epoch in view.history.epochs]
        )
    assert len(figures[0]) == 2 and figures[0] == figures[1]


def test_all_processes_of_a_run_are_counted_and_end_with_its_worker(one_thread):
    store = Store()
    jobs = Jobs(store, WorkerExecutor())
    try:
        run_id = jobs.submit(several(epochs=1000))
        jobs.wait_for_step(run_id, 60)
        worker = next(each for each in psutil.Process().children() if each.children())
        helpers = worker.children()
        alone = worker.memory_info().rss
        assert len(helpers) == 1 and jobs.resident_bytes(run_id) > alone + 50 * 2**20
        worker.kill()
        view = jobs.wait(run_id, timeout=60)
        assert view.state == "interrupted"
        assert psutil.wait_procs(helpers, timeout=10)[1] == []
    finally:
        jobs.close()
        store.close()


def test_what_helpers_hold_counts_for_the_process_they_help(monkeypatch):
    own = psutil.Process()
    before = held_bytes(own)
    with subprocess.Popen([sys.executable, "-c", "print(len(x := b'1' * 10**8), flush=True); input()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as helper:  # fmt: skip
        assert helper.stdout is not None and helper.stdout.readline()
        monkeypatch.setattr("core.processes.HELPERS", {helper.pid, 2**22 + 1})
        assert held_bytes(own) > before + 90 * 10**6
        helper.communicate(b"\n")
