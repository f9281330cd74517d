"""The training rate of a run started by a click in the app, with viewers watching it.

    python -m tests.benchmarks.through_app SPEC.json [--viewers 1]

Starts the app in a fresh home, opens the Train page with the spec in its address, presses Start, and
watches until the run has ended. Prints ``images_per_second`` (training images over all wall-clock time
of the run, evaluation included) and what the viewers waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import urllib.parse
from pathlib import Path

from core.run.address import encode
from core.run.spec import RunSpec, parse
from core.store.store import Store
from tests.benchmarks.viewers import Seat
from tests.e2e.browsing import ROOT, streamlit_server, temporary_home


async def train(url: str, spec: RunSpec, viewers: int) -> tuple[str, list[Seat]]:
    """Start ``spec`` from the page and watch it to its end; returns the run's id and the seats."""
    async with Seat(url, "Train", urllib.parse.urlencode({"spec": encode(spec)})) as first:
        await first.ask()
        await asyncio.sleep(5)  # the worker warms up meanwhile, as it does while a person chooses
        await first.ask(press="Start training")
        run_id = urllib.parse.parse_qs(first.query)["run"][0]
        seats = [Seat(url, "Train", first.query) for _ in range(viewers - 1)]
        await asyncio.gather(first.watch(600), *(_sit(seat, i / viewers) for i, seat in enumerate(seats, 1)))
    return run_id, [first, *seats]


async def _sit(seat: Seat, arrives_after: float) -> None:
    await asyncio.sleep(arrives_after)
    async with seat:
        await seat.ask()
        await seat.watch(600)


def measure(spec: RunSpec, viewers: int) -> dict[str, object]:
    """The run's rate, and the viewers' waits in milliseconds."""
    with temporary_home() as home, streamlit_server(ROOT / "app.py", home) as url:
        run_id, seats = asyncio.run(train(url, spec, viewers))
        store = Store(f"sqlite:///{home / 'augury.db'}")
        events = {event["event"]: event for _, event in store.events(run_id)}
        store.close()
    started, finished = events["started"], events["finished"]
    waits = sorted(1e3 * wait for seat in seats for wait in seat.waits)
    return {
        "images_per_second": finished["epochs"] * started["train_images"] / finished["seconds"],
        "viewers": viewers,
        "reruns": len(waits),
        "p50_ms": round(waits[len(waits) // 2], 1),
        "p95_ms": round(waits[int(len(waits) * 0.95)], 1),
        "kilobytes_a_rerun": round(sum(seat.received for seat in seats) / len(waits) / 1e3, 1),
        "errors": sorted({error for seat in seats for error in seat.errors}),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec", type=Path)
    parser.add_argument("--viewers", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(measure(parse(options.spec.read_text(encoding="utf-8")), options.viewers)))
