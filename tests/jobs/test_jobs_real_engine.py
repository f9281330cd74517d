"""The real engine, through a worker and through a thread, as the app runs it."""

import pytest
import torch

from core.jobs.executors import ThreadExecutor, WorkerExecutor
from core.jobs.fork import forks
from core.jobs.manager import Jobs
from core.run.spec import parse
from core.store.store import Store, run_folder

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
