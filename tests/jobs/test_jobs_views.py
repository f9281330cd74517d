"""What a server shows of jobs that other servers compute."""

from __future__ import annotations

import time

import pytest

from core.catalogues import completed
from core.jobs.queue import Queue
from core.jobs.views import Archive, queued
from core.run.events import state
from core.run.spec import parse
from core.store.store import Store
from tests import made_up_run

RUN = "a" * 32
CUT = "The worker process was killed."


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    made = Store()
    yield made
    made.close()


@pytest.mark.parametrize("end", [state("finished"), state("interrupted", "Killed again.")])
@pytest.mark.parametrize("computed_here", [True, False])
def test_a_run_that_was_cut_and_ended_elsewhere_is_shown_as_it_ended(store, monkeypatch, end, computed_here):
    """Nobody looks at it here while the other server has it go on."""
    spec = completed(parse({"name": "Mine"}))
    store.create(RUN, spec, time.time())
    first, *others = [event for event in made_up_run.events() if event["event"] != "finished"]
    told = [first, *others[:3], state("interrupted", CUT)]
    store.append(RUN, list(enumerate(told, 1)))
    store.set_state(RUN, "interrupted", CUT, finished_at=1.0)
    archive = Archive(store, Queue(store))
    if computed_here:
        builder = queued()
        for number, event in enumerate(told, 1):
            builder.add(event, version=number)
        archive.remember(store.run(RUN), builder)
    assert archive.view(RUN).state == "interrupted"
    store.append(RUN, list(enumerate([state("running"), *others[3:], end], len(told) + 1)))
    store.set_state(RUN, end["state"], end["reason"], finished_at=2.0)
    monkeypatch.setattr("core.jobs.views.ENDED_FRESH_SECONDS", 0.0)
    view = archive.view(RUN)
    assert (view.state, view.reason) == (end["state"], end["reason"])
    assert view.finished_at == 2.0
    assert archive.view(RUN) is view
