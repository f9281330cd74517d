"""An afternoon of a class with five visitors who mean harm: ``python -m tests.nightly.hostile_afternoon``.

25 viewers watch a run while `hostile_visitors` do what they can. Prints one JSON object; the exit status is 1
if the viewers waited longer than they may, or a run, a viewer or the server's memory was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import psutil

from core.run.address import encode
from core.run.spec import RunSpec, TrainSpec
from core.store.store import Store
from tests.benchmarks.viewers import Seat
from tests.e2e.browsing import ROOT, streamlit_server, temporary_home
from tests.nightly.hostile_visitors import KINDS

P95_MS = 500.0
SERVER_MB = 400.0


class Memory(threading.Thread):
    """The most that the server itself and any of its helper processes held, in MB of resident memory."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.server, self.helper = 0.0, 0.0
        self._process = psutil.Process(pid)
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.2):
            self.server = max(self.server, self._process.memory_info().rss / 1e6)
            for child in self._process.children(recursive=True):
                try:
                    self.helper = max(self.helper, child.memory_info().rss / 1e6)
                except psutil.Error:
                    continue

    def end(self) -> None:
        self._over.set()
        self.join()


async def _sit(url: str, query: str, seconds: float, after: float) -> Seat:
    await asyncio.sleep(after)
    async with Seat(url, "Train", query) as seat:
        await seat.ask()
        await seat.watch(seconds - after)
        return seat


async def honest(url: str, query: str, viewers: int, seconds: float) -> list[Seat | BaseException]:
    each = (_sit(url, query, seconds, i / viewers) for i in range(viewers))
    return await asyncio.gather(*each, return_exceptions=True)


async def _start(url: str, epochs: int) -> str:
    """Start a run as a person does; the page's query that shows it."""
    spec = RunSpec(name="Watched", train=TrainSpec(epochs=epochs))
    async with Seat(url, "Train", urlencode({"spec": encode(spec)})) as seat:
        await seat.ask()
        await asyncio.sleep(5)  # the worker warms up, as while a person reads
        await seat.ask(press="Start training")
        return seat.query


def afternoon(viewers: int, seconds: float, kinds: list[str], epochs: int) -> dict[str, object]:
    with (
        temporary_home() as home,
        streamlit_server(ROOT / "app.py", home, hosts=("localhost", "127.0.0.1")) as url,
    ):
        port = int(url.rsplit(":", 1)[1])
        server = next(
            each
            for each in psutil.Process().children()
            if f"--server.port={port}" in " ".join(each.cmdline())
        )
        memory = Memory(server.pid)
        memory.start()
        query = asyncio.run(_start(url, epochs))
        command = [sys.executable, "-m", "tests.nightly.hostile_visitors", url]
        attackers = [
            subprocess.Popen([*command, kind, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for kind in kinds
        ]
        seats = asyncio.run(honest(url, query, viewers, seconds))
        tried = [(each.communicate()[0], each.returncode) for each in attackers]
        memory.end()
        return _report(home, query, seats, tried, memory)


def _report(
    home: Path,
    query: str,
    seats: list[Seat | BaseException],
    tried: list[tuple[str, int]],
    memory: Memory,
) -> dict[str, object]:
    seated = [seat for seat in seats if isinstance(seat, Seat)]
    waits = sorted(1e3 * wait for seat in seated for wait in seat.waits) or [float("inf")]
    store = Store(f"sqlite:///{home / 'augury.db'}")
    try:
        run_id = parse_qs(query)["run"][0]
        epochs = sum(event["event"] == "epoch" for _, event in store.events(run_id))
        runs = store.runs(limit=500)
        watched = store.run(run_id)
    finally:
        store.close()
    return {
        "viewers": len(seated),
        "lost_viewers": [repr(each)[:200] for each in seats if not isinstance(each, Seat)],
        "errors": sorted({error for seat in seated for error in seat.errors}),
        "reruns": len(waits),
        "p50_ms": round(waits[len(waits) // 2], 1),
        "p95_ms": round(waits[int(len(waits) * 0.95)], 1),
        "max_ms": round(waits[-1], 1),
        "server_mb": round(memory.server),
        "helper_mb": round(memory.helper),
        "attackers": [text.strip().splitlines()[-1:] for text, _ in tried],
        "attackers_broken": [text[-500:] for text, code in tried if code],
        "epochs_of_the_run": epochs,
        "the_run": watched.state if watched else "gone",
        "states": Counter(run.state for run in runs),
        "interrupted": [run.reason for run in runs if run.state == "interrupted"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    began = time.time()
    report = afternoon(options.viewers, options.seconds, options.kinds, options.epochs)
    print(json.dumps({**report, "took": round(time.time() - began)}, indent=1))
    lost = report["lost_viewers"] or report["errors"] or report["attackers_broken"] or report["interrupted"]
    slow = report["p95_ms"] > P95_MS or report["server_mb"] > SERVER_MB  # type: ignore[operator]
    return 1 if lost or slow or report["the_run"] not in ("running", "finished") else 0


if __name__ == "__main__":
    sys.exit(main())
