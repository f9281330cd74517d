"""What a page's refresh costs of a run of a million recorded steps, against one of a thousand.

    python -m tests.benchmarks.long_run

A refresh is: a new step is folded in, the history is taken, all charts in sight are built anew, and the page
is drawn, as Streamlit's server does it, without a browser. Both runs have as many epochs. Times are medians,
the two runs in turns. A line has 250 to 500 points, so some difference is left whatever is done.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from unittest.mock import patch

from streamlit.testing.v1 import AppTest

from core.jobs.manager import Jobs
from core.jobs.views import RunView
from core.run.history import HistoryBuilder
from core.run.spec import RunSpec
from pages.features.live import run_charts
from tests.made_up_run import STARTED, epoch_event, step

SHORT, LONG, EPOCHS, TURNS, ROUNDS = 1_000, 1_000_000, 10, 20, 4
RUN_ID, ROOT = "f" * 32, Path(__file__).parents[2]


def folded(steps: int) -> HistoryBuilder:
    """A live run of so many recorded steps in `EPOCHS` epochs, the last of which has not ended."""
    builder, per_epoch = HistoryBuilder(), steps // EPOCHS
    builder.add({"event": "state", "state": "running", "reason": ""}, 0.0)
    builder.add({**STARTED, "epochs": EPOCHS}, 0.0)
    for epoch in range(1, EPOCHS + 1):
        for i in range(1, per_epoch + 1):
            builder.add(step(epoch - 1 + i / (per_epoch + 1)), 0.0)
        if epoch < EPOCHS:
            builder.add(epoch_event(epoch), 0.0)
    return builder


@contextmanager
def page_of(builder: HistoryBuilder) -> Iterator[AppTest]:
    """The run's page, opened, on which ``builder`` is the run."""

    def view(_: str) -> RunView:
        return RunView(RUN_ID, RunSpec(name="Long"), builder.history(), 0, 0.0, None, None)

    with patch.object(Jobs, "view", lambda _, run_id: view(run_id)):
        page = AppTest.from_file(ROOT / "app.py", default_timeout=60).switch_page("pages/2_Train.py")
        page.query_params["run"] = RUN_ID
        yield page.run()


def refresh(page: AppTest, builder: HistoryBuilder, turn: int) -> float:
    """Seconds of one: a new step, then the whole page."""
    run_charts._shown.clear()
    builder.add(step(EPOCHS - 1e-4 + 1e-6 * turn), 0.0)
    began = time.perf_counter()
    page.run()
    seconds = time.perf_counter() - began
    assert not page.exception
    return seconds


def refreshes(builder: HistoryBuilder) -> list[float]:
    """Seconds of each of `TURNS`."""
    with page_of(builder) as page:
        return [refresh(page, builder, turn) for turn in range(TURNS)]


def main() -> None:
    builders = folded(SHORT), folded(LONG)
    rounds = [[refreshes(builder) for builder in builders] for _ in range(ROUNDS)]
    short, long = (statistics.median(chain(*times)) for times in zip(*rounds, strict=True))
    print(f"{LONG:,} steps: {1e3 * long:.0f} ms a refresh, {long / short:.2f} times that of {SHORT:,} steps")


if __name__ == "__main__":
    main()
