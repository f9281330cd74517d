"""The server's time for a comparison of eight runs, tab by tab, with many other runs in the store.

    PYTHONPATH=. python -m tests.benchmarks.comparison

Each run has 60 epochs of what a small network tells; 2,000 others are in the store, of which the newest 500
are looked through for repeats. The first visit reads the runs from the store, the second has them in memory.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
RUNS, EPOCHS, OTHERS, IMAGES, VISITS = 8, 60, 2000, 1000, 5
LOOKS = ({"part": "Overview"}, {"seeds": "true"}, {"part": "Layers"}, {"part": "Confusion"})


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"AUGURY_HOME": home, "AUGURY_EXECUTOR": "thread"}
        ids = _fill()
        for query in LOOKS:
            seconds = [_visit(ids, **query) for _ in range(VISITS)]
            name = " ".join(f"{key}={value}" for key, value in query.items())
            times = [round(1000 * each) for each in (seconds[0], statistics.median(seconds[1:]))]
            print(f"{name:16} first {times[0]:5} ms, then {times[1]:5} ms")


def _visit(ids: list[str], **query: str) -> float:
    """The seconds that the page's script takes; the first visit of all imports it before."""
    from streamlit.testing.v1 import AppTest

    from core.jobs.views import ENDED_FRESH_SECONDS

    visit = AppTest.from_file(ROOT / "app.py", default_timeout=120).switch_page("pages/3_Runs.py")
    visit.query_params["runs"] = "0" * 32  # of one run: this imports the page, and reads nothing of the eight
    visit.run()
    time.sleep(ENDED_FRESH_SECONDS)  # the list of runs is read again
    for name, value in {"runs": ",".join(ids), **query}.items():
        visit.query_params[name] = value
    began = time.perf_counter()
    visit.run()
    took = time.perf_counter() - began
    assert not visit.exception and len(visit.get("bidi_component")) > 1
    return took


def _fill() -> list[str]:
    """Eight runs, four settings with two seeds each, and others; the ids of the eight."""
    from core.catalogues import completed
    from core.run.digest import digest
    from core.run.spec import parse
    from core.store.store import Store
    from core.study.repeats import repeats
    from tests import made_up_run

    store, random = Store(), np.random.default_rng(0)
    plain = [{"regularisers": [{"kind": "l1", "strength": 1e-3 * i}]} for i in (1, 2, 3, 4)]
    specs = [completed(parse(each)) for each in plain]
    specs += [completed(repeats(spec, "all", 1)[0]) for spec in specs]
    begin, end = made_up_run.events(epochs=1)[:2], made_up_run.events(epochs=1)[-2:]
    one = made_up_run.epoch_event(3)
    events = [*begin, *({**one, "epoch": i, "step": 4 * i} for i in range(1, EPOCHS + 1)), *end]
    ids = []
    for i in range(OTHERS + RUNS):
        run_id, spec = f"{i:032x}", specs[i % RUNS]
        told = [dict(event) for event in events] if i >= OTHERS else []
        for event in told:
            if event["event"] == "started":
                event |= {"validation_images": IMAGES, "classes": [str(j) for j in range(10)]}
            if event["event"] == "epoch":
                event["right"] = np.packbits(random.random(IMAGES) < 0.9).tobytes().hex()
                event["confusion"] = random.integers(0, 99, (10, 10)).tolist()
        other = spec.model_copy(update={"train": spec.train.model_copy(update={"epochs": i % 900 + 11})})
        spec = spec if told else completed(other)
        store.create(run_id, spec, float(i), digest=digest("train", spec))
        store.append(run_id, list(enumerate(told, 1)))
        result = {**one, "epoch": EPOCHS}
        summary = {
            "epochs": EPOCHS,
            "result": result,
            "last": result,
            "curve": [0.5] * 24,
            "validation_images": IMAGES,
        }
        store.set_state(run_id, "finished", summary=summary)
        if told:
            ids.append(run_id)
    store.close()
    return ids


if __name__ == "__main__":
    main()
