"""The server's life: what it does before its first visitor, and in the end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

from core.presets import PRESETS
from core.store.store import Store
from pages.features.frame.serving import MODULES, prepared
from tests.pages.visiting import manager


def test_in_the_end_it_interrupts_its_runs_and_its_worker(monkeypatch):
    closed = []

    class Interactive:
        def close(self):
            closed.append(True)

    monkeypatch.setattr("core.interactive.client.shared_interactive", Interactive)

    async def life():
        async with prepared(None):
            run_id = manager().submit(PRESETS["baseline"].spec)
            manager().wait_for_step(run_id, timeout=60)
            return run_id

    with ThreadPoolExecutor(1) as thread:  # after browser tests the main thread has a loop that runs
        run_id = thread.submit(asyncio.run, life()).result()
    stored = Store().run(run_id)
    assert stored and stored.state == "interrupted"
    assert closed == [True]


def test_what_is_imported_ahead_is_there():
    assert all(find_spec(module) for module in MODULES)
