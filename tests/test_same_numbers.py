"""The same spec gives the same numbers, bit for bit: command line, worker, thread and page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from core.catalogues import completed
from core.jobs.executors import ThreadExecutor, WorkerExecutor
from core.jobs.manager import Jobs
from core.jobs.shared import forget_shared_jobs
from core.run.address import encode
from core.run.events import MEASURED_TIMES
from core.run.spec import RunSpec, parse
from core.store.store import Store

ROOT = Path(__file__).parents[1]
SPEC = parse(
    {
        "seed": 11,
        "data": {"name": "digits", "train_images": 300},
        "augment": {
            "ops": [
                {"op": "RandomAffine", "p": 0.7},
                {"op": "RandomGaussianNoise", "p": 0.5},
                {"op": "RandomErasing", "p": 0.5},
            ]
        },
        "model": {"arch": "cnn", "params": {"channels": [8, 8], "hidden": 32, "batch_norm": True}},
        "regularisers": [{"kind": "elastic_net", "strength": 1e-2, "warmup_epochs": 2}, {"kind": "l2"}],
        "optimiser": {"kind": "adamw", "schedule": "one-cycle"},
        "train": {"epochs": 3, "batch_size": 64, "device": "cpu"},
    }
)


def numbers(events: list[dict]) -> list[dict]:
    """The ``epoch`` events without what a clock says."""
    epochs = [event for event in events if event["event"] == "epoch"]
    # Pages keep the losses as one line over all epochs, and of old epochs no matrix.
    left_out = {*MEASURED_TIMES, "batch_losses", "confusion"}
    return [{key: each[key] for key in each if key not in left_out} for each in epochs]


def by_the_command_line(folder: Path) -> list[dict]:
    path = folder / "spec.json"
    path.write_text(SPEC.to_json(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "core", "run", str(path)],
        cwd=ROOT,
        env={**os.environ, "AUGURY_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return numbers([json.loads(line) for line in done.stdout.splitlines()])


def by_a_manager(folder: Path, executor: WorkerExecutor | ThreadExecutor) -> list[dict]:
    jobs = Jobs(Store(f"sqlite:///{folder / 'runs.db'}"), executor)
    try:
        view = jobs.wait(jobs.submit(completed(SPEC)), timeout=120)
        assert view is not None and view.state == "finished", view
        return numbers(list(view.history.epochs))
    finally:
        jobs.close()


def by_the_page(monkeypatch, folder: Path, spec: RunSpec) -> list[dict]:
    monkeypatch.setenv("AUGURY_HOME", str(folder))
    st.cache_resource.clear()
    visit = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    visit.switch_page("pages/2_Train.py")
    visit.query_params["spec"] = encode(spec)
    visit.run()
    next(button for button in visit.button if button.label == "Start training").click().run()
    from pages.features.frame.setup import jobs

    try:
        (stored,) = jobs().recent(1)
        view = jobs().wait(stored.id, timeout=120)
        assert view is not None and view.state == "finished", view
        return numbers(list(view.history.epochs))
    finally:
        forget_shared_jobs()
        st.cache_resource.clear()


def test_the_same_numbers_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_THREADS", "1")  # sums depend on how many threads they are split among
    folders = [tmp_path / name for name in ("line", "worker", "thread", "page")]
    for folder in folders:
        folder.mkdir()
    expected = by_the_command_line(folders[0])
    assert len(expected) == 3
    assert expected[-1]["sparsity"]["exact"] > 0
    assert by_a_manager(folders[1], WorkerExecutor()) == expected
    assert by_a_manager(folders[2], ThreadExecutor()) == expected
    assert by_the_page(monkeypatch, folders[3], SPEC) == expected
