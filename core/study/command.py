"""``python -m core study``: a study without a page."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.jobs.shared import chosen_slots, make_jobs
from core.run.errors import SpecError
from core.study.cells import Cell, Told
from core.study.files import place_of, write_place, write_study
from core.study.spec import Study
from core.study.studies import Studies, StudyView

STEP_SECONDS = 0.2
PAUSED = "It was stopped; start it again and it goes on."


def run_study(study: Study, out: Path, tell: Callable[[str], None]) -> int:
    """Answer a study, and keep what comes out in ``out``; Ctrl-C pauses it, and the next call goes on.

    Args:
        tell: takes one JSON event a cell and a last one with the answer.

    Returns:
        0: it is answered, or was paused; 1: some cells failed.
    """
    known = place_of(out, study)
    jobs = make_jobs()
    studies = Studies(jobs, jobs.store, chosen_slots())
    try:
        stored = studies.view(known) if known else None
        study_id = known if stored is not None else studies.start(study)
        write_study(out, study, study.cells({}), {}, {})
        write_place(out, study_id)
        studies.resume(study_id)
        if stored is not None and stored.failed:
            studies.try_again(study_id)
        signal.signal(signal.SIGINT, lambda *_: studies.pause(study_id, reason=PAUSED))
        view = _follow(studies, study_id, study, out, tell)
        _wait_for_stops(studies, view, jobs)
    finally:
        studies.close()
        jobs.close()
        jobs.store.close()
    tell(json.dumps({"event": "result", "state": view.state, "reason": view.stored.reason, **view.result}))
    return 1 if view.failed and view.state == "finished" else 0


def _follow(
    studies: Studies, study_id: str, study: Study, out: Path, tell: Callable[[str], None]
) -> StudyView:
    """Tell and keep each cell as it ends, until the study does not run any more."""
    told: set[tuple[str, str]] = set()
    while True:
        view = studies.wait(study_id, STEP_SECONDS)
        if view is None:
            raise SpecError("", "The study is not there any more: it was deleted.")
        new = [cell for cell in view.cells if _is_news(view, cell, told)]
        if new or view.state != "running":
            write_study(out, study, view.cells, view.table, view.result)
        for cell in new:  # what was told is in the files
            tell(json.dumps(_event(cell, view.table[cell.key], view)))
        if view.state != "running":
            return view


def _is_news(view: StudyView, cell: Cell, told: set[tuple[str, str]]) -> bool:
    known = view.table.get(cell.key)
    if known is None or known.state not in ("done", "failed") or (cell.key, known.run_id) in told:
        return False
    told.add((cell.key, known.run_id))
    return True


def _event(cell: Cell, told: Told, view: StudyView) -> dict[str, Any]:
    return {
        "event": "cell",
        "cell": cell.key,
        **cell.settings,
        "state": told.state,
        "reason": told.reason,
        "run": told.run_id,
        "reused": told.reused,
        **(told.figures.model_dump() if told.figures else {}),
        "done": view.done,
        "of": len(view.cells),
    }


def _wait_for_stops(studies: Studies, view: StudyView, jobs: Any) -> None:
    """What was asked to stop writes its checkpoint, so that it goes on there."""
    for run in view.table.values():
        if run.state == "paused":
            jobs.wait(run.run_id, 20.0)
