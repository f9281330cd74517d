"""What the runs of `kills.py` have left: every file whole, and each run the one that was never cut."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.run.spec import parse
from core.runtime import prepare_torch
from core.store.store import Store

LOOK_SECONDS = 0.0003


def wait_until(look: Callable[[], Any], seconds: float) -> bool:
    """Whether ``look`` finds something in time; looks as often as it can."""
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def writes_checkpoint(folder: Path) -> Callable[[], bool]:
    """Whether a file is being written in a run's folder."""
    return lambda: any(folder.rglob("*.part"))


def stop_while_it_writes(pid: int, folder: Path, seconds: float) -> bool:
    """Stop a process in the middle of writing a file in ``folder``; whether that came about. Else it runs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and wait_until(writes_checkpoint(folder), seconds):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(LOOK_SECONDS)  # what a call of the system had begun is done
        if writes_checkpoint(folder)():
            return True
        os.kill(pid, signal.SIGCONT)
    return False


def writes_store(home: Path) -> Callable[[], bool]:
    """Whether something has just been written to the database."""

    def size() -> tuple[int, int]:
        log = home / "augury.db-wal"
        return (log.stat().st_size, log.stat().st_mtime_ns) if log.exists() else (0, 0)

    before = size()
    return lambda: size() != before


def torn_files(folder: Path) -> list[str]:
    """Files below a folder that are half there, or nobody's."""
    from safetensors import SafetensorError, safe_open

    found = [f"{part} is left" for part in folder.rglob("*.part")]
    for path in folder.rglob("*.safetensors"):
        try:
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118  no mapping
                    file.get_tensor(name)
        except (SafetensorError, OSError) as error:
            found.append(f"{path} is torn: {error}")
    for path in folder.rglob("*.json"):
        try:
            json.loads(path.read_text())
        except ValueError as error:
            found.append(f"{path} is torn: {error}")
    return found


def torn(home: Path) -> list[str]:
    """`torn_files` of all runs, and whether the database is whole."""
    with sqlite3.connect(home / "augury.db") as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    found = torn_files(home / "runs")
    return found if said == "ok" else [*found, f"the database: {said}"]


def differing(home: Path, run_id: str) -> str:
    """How a run that has finished differs from one of its spec and edits that was never cut; empty: not."""
    from core.run.events import lean
    from core.run.history import build_history
    from core.train.loop import run
    from tests.train.same_runs import sha
    from tests.train.small_runs import epochs

    prepare_torch()
    store = Store(f"sqlite:///{home / 'augury.db'}")
    stored, told = store.run(run_id), store.events(run_id)
    store.close()
    assert stored is not None
    history = build_history(told).history()
    edits: list[Any] = [{"step": each["step"], "set": each["set"]} for each in history.edits]
    for _, event in told:
        if event["event"] == "edit" and {"step": event["step"], "set": event["set"]} not in edits:
            return f"the edit at step {event['step']} was told, and is lost"
    with tempfile.TemporaryDirectory() as folder:
        straight = epochs(list(run(parse(stored.spec.to_json()), out=Path(folder), edits=edits)))
        weights = sha(Path(folder))
    expected = {each["epoch"]: json.loads(json.dumps(lean(each))) for each in straight}
    found = {each["epoch"]: lean(each) for each in epochs(history.epochs)}
    if found.keys() != expected.keys():
        return f"it has {len(found)} epochs instead of {len(expected)}"
    if wrong := [epoch for epoch in found if found[epoch] != expected[epoch]]:
        return f"its epoch {wrong[0]} is another"
    return "" if sha(home / "runs" / run_id) == weights else "its weights are others"
