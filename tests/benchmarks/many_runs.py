"""What the list of runs and a comparison cost the server with 10,000 runs in the store.

    python -m tests.benchmarks.many_runs

Each time is a median with the largest of `ROUNDS`, in ms: the database's part alone, and the page's whole
script as Streamlit's server runs it, without a browser. Specs that were read before are found parsed.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from core.catalogues import completed
from core.run.history import build_history, summary
from core.run.spec import parse
from core.store.find import Query, spec_columns, summary_columns
from core.store.store import Store
from core.store.tables import events, runs
from tests import made_up_run

RUNS, COMPARED, ROUNDS = 10_000, 8, 15
ROOT = Path(__file__).parents[2]
QUERIES = {
    "newest": Query(),
    "search of one word": Query(words="lasso"),
    "search of what is not there": Query(words="nothing like it"),
    "network and regulariser": Query(arch="mlp", regulariser="l1"),
    "by accuracy": Query(sort="accuracy"),
    "tag": Query(tag="week 3"),
}


def fill(store: Store) -> list[str]:
    """Believable runs: other names, networks, regularisers, seeds, tags and figures; the ids."""
    draws, told = random.Random(0), made_up_run.events()
    figures: Any = summary(build_history(enumerate(told, 1)).history())
    rows, ids = [], []
    for i in range(RUNS):
        spec = completed(
            parse(
                {
                    "name": f"Run {i}" if i % 3 else "",
                    "seed": i % 7,
                    "model": {"arch": draws.choice(["cnn", "mlp", "rnn", "attention"])},
                    "data": {"name": draws.choice(["mnist5k", "digits"])},
                    "regularisers": draws.choice([[], [{"kind": "l1"}], [{"kind": "l2"}, {"kind": "ema"}]]),
                    "optimiser": {"lr": round(10 ** draws.uniform(-4, -2), 6)},
                }
            )
        )
        result = figures["result"] | {"validation_accuracy": draws.random()}
        run_summary = figures | {"result": result}
        ids.append(f"{i:032x}")
        rows.append(
            {
                "id": ids[-1], "name": spec.name, "spec": spec.to_json(), "state": "finished", "owner": "",
                "created_at": time.time() - RUNS + i, "visitor": f"here/{i % 30}", "kind": "train",
                "tags": json.dumps([f"week {i % 5}"]), "summary": json.dumps(run_summary),
                **spec_columns(spec), **summary_columns(run_summary),
            }
        )  # fmt: skip
    with store.engine.begin() as connection:
        connection.execute(sa.insert(runs), rows)
        for run_id in ids[-COMPARED:]:
            lines = [
                {"run_id": run_id, "seq": n, "event": json.dumps(event)} for n, event in enumerate(told, 1)
            ]
            connection.execute(sa.insert(events), lines)
    return ids


def timed(what: str, do: Callable[[], object]) -> None:
    do()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        do()
        taken.append(1000 * (time.perf_counter() - began))
    print(f"{what:45} {statistics.median(taken):7.0f} {max(taken):7.0f}", flush=True)


def page(ids: list[str]) -> AppTest:
    visit = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page("pages/3_Runs.py")
    if ids:
        visit.query_params["runs"] = ",".join(ids)
    return visit.run()


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["AUGURY_HOME"] = home
        store = Store()
        ids = fill(store)
        print(f"{RUNS:,} runs, ms                                  median     max")
        for what, query in QUERIES.items():
            timed(f"database: {what}", lambda query=query: store.find(query, 100))
        timed("database: what can be filtered by", store.offered)
        visit = page([])
        timed("page: the list", visit.run)
        timed("page: a search", lambda: visit.text_input(key="runs.search").set_value("lasso").run())
        timed("page: a filter", lambda: visit.selectbox(key="runs.Network").set_value("mlp").run())
        timed(f"page: a comparison of {COMPARED}", page(ids[-COMPARED:]).run)
        store.close()

        from core.jobs.shared import forget_shared_jobs

        forget_shared_jobs()


if __name__ == "__main__":
    main()
