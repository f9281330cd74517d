"""Every event is read back as it was made, and nothing else is; the history folds them all."""

import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from core.run.events import read_event, state
from core.run.history import HistoryBuilder
from tests.made_up_run import events

DIGEST = "0" * 64
NEW = [
    {"event": "edit", "step": 3, "set": {"optimiser.lr": 0.1}, "was": {"optimiser.lr": 0.2}},
    {"event": "checkpoint", "step": 3},
    {"event": "refused", "command": "edit", "reason": "model.arch: it can't change."},
    {"event": "progress", "done": 3, "of": 8, "seconds_left": 20.0, "what": "λ = 0.001"},
    {"event": "row", "seed": 1, "accuracy": 0.9},
    {"event": "artefact", "name": "weights", "digest": DIGEST, "media_type": "a/b", "bytes": 3},
    {"event": "batch", "step": 1, "images": "iVBO", "count": 1, "labels": ["3"]},
    state("failed", "The loss became nan.", "diverged", {"step": 4, "rate": 10.0, "norm": None}),
]


@pytest.mark.parametrize("event", [*NEW, *events()], ids=lambda event: event["event"])
def test_an_event_is_read_back_as_it_was_made(event):
    assert read_event(json.dumps(event)) == event
    assert read_event(json.dumps(event | {"of a later version": [1]}))["of a later version"] == [1]


@pytest.mark.parametrize(
    "change",
    [
        {"event": "edit", "was": None},
        {"event": "edit", "step": -1},
        {"event": "progress", "of": 0},
        {"event": "artefact", "digest": "../../etc"},
        {"event": "artefact", "name": "x" * 200},
        {"event": "checkpoint", "step": "3"},
    ],
)
def test_what_is_not_as_it_should_be_is_refused(change):
    whole = next(event for event in NEW if event["event"] == change["event"])
    with pytest.raises(ValidationError):
        read_event(json.dumps(whole | change))


def test_the_history_folds_what_jobs_of_any_kind_tell():
    folded = HistoryBuilder()
    newer = NEW[5] | {"bytes": 4}
    for event in [*NEW, newer]:
        folded.add(event, now=10.0)
    history = folded.history()
    assert history.edits == (NEW[0],) and history.checkpoints == (NEW[1],) and history.refused == NEW[2]
    assert history.rows == (NEW[4],) and history.artefacts == (newer,)
    assert history.progress_event == NEW[3] and history.state == "failed"


def test_the_progress_that_a_job_tells():
    folded = HistoryBuilder()
    assert folded.history().progress(0.0).share == 0
    folded.add(NEW[3], now=10.0)
    progress = folded.history().progress(14.0)
    assert (progress.share, progress.epochs, progress.seconds_left) == (3 / 8, 0, 16.0)
    folded.add(state("finished"), now=15.0)
    assert folded.history().progress(15.0).share == 1 and folded.history().progress(15.0).seconds_left is None


def test_what_a_page_needs_of_a_run_loads_no_torch():
    names = "spec", "edits", "commands", "events", "history", "address", "errors"
    # Of the processor's time, which other processes on the machine do not change much.
    code = f"import sys, time; t = time.process_time(); import {', '.join(f'core.run.{n}' for n in names)}; "
    code += "print(time.process_time() - t); assert not {'torch', 'kornia', 'streamlit'} & sys.modules.keys()"
    times = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
        for _ in range(3)
    ]
    assert min(times) < 0.5  # torch alone takes two seconds
