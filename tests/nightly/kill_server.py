"""A server as `kills.py` needs it: what the pages' server does, without pages.

One JSON object a line on standard input, ``{"n": 3, "do": "submit", …}``, and for each one on standard
output, ``{"n": 3, "answer": …}`` or ``{"n": 3, "refused": "…"}``. It ends like a server that is stopped when
standard input does. With ``--fake`` its workers are the tests' own, without torch.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import uuid
from typing import Any

from core.catalogues import completed
from core.files import write_text
from core.interactive.client import Interactive, shared_interactive
from core.jobs.executors import WorkerExecutor
from core.jobs.manager import Jobs
from core.jobs.shared import shared_jobs
from core.presets import FIRST_LOOK
from core.run.edits import Edit
from core.run.errors import SpecError
from core.run.spec import parse
from core.store.store import Store, run_folder

PREVIEW_SECONDS = 90.0


class WatchedExecutor(WorkerExecutor):
    """Knows which worker computes which run."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.runs: dict[int, str] = {}

    def _follow(self, worker: Any, run_id: str, *arguments: Any) -> Any:
        self.runs[worker.pid] = run_id
        try:
            return super()._follow(worker, run_id, *arguments)
        finally:
            del self.runs[worker.pid]


class Server:
    def __init__(self, fake: bool) -> None:
        self._fake = fake
        if fake:
            from tests.interactive import fake_answers
            from tests.jobs import fake_engine

            self._executor = WatchedExecutor(fake_engine.WORKER)
            self._jobs = Jobs(Store(), self._executor, slots=2)
            self._interactive = Interactive(fake_answers.WORKER)
        else:
            import core.jobs.shared as shared

            self._executor = WatchedExecutor()
            shared.make_executor = lambda: self._executor
            self._jobs = shared_jobs()
            self._interactive = shared_interactive()
        self._interactive.warm()
        self._jobs.warm()

    def submit(self, spec: dict[str, Any], edits: list[Edit] | None = None, resumes: bool = False) -> str:
        """Start a run, which makes these edits at their steps, and goes on by itself if it ``resumes``."""
        run_id = uuid.uuid4().hex
        if edits:  # as if a person had made them, and the run had then been killed
            write_text(run_folder(run_id) / "edits.json", json.dumps(edits))
        self._jobs.submit(completed(parse(spec)), run_id=run_id)
        if resumes:
            self._jobs.resume_by_itself(run_id, True)
        return run_id

    def resume(self, run_id: str) -> None:
        self._jobs.resume(run_id)

    def command(self, run_id: str, command: dict[str, Any]) -> None:
        self._jobs.command(run_id, command)

    def states(self, ids: list[str]) -> dict[str, Any]:
        """State and reason of each run; None: it isn't known."""
        views = {run_id: self._jobs.view(run_id) for run_id in ids}
        return {run_id: view and [view.state, view.reason] for run_id, view in views.items()}

    def unfinished(self) -> list[str]:
        return [view.id for view in self._jobs.live()]

    def busy(self) -> dict[str, str]:
        """The run that each worker process computes."""
        return {str(pid): run_id for pid, run_id in list(self._executor.runs.items())}

    def slots(self) -> int:
        """How many threads there are that compute runs."""
        return sum(re.fullmatch(r"jobs-\d+", thread.name) is not None for thread in threading.enumerate())

    def preview(self, seed: int) -> bool:
        if self._fake:
            kind, asked = "sleep", {"seconds": 0.2, "seed": seed}
        else:
            augment = FIRST_LOOK.augment.model_dump(mode="json")
            kind, asked = "preview", {"augment": augment, "source": {"photos": 64}, "seed": seed, "step": 0}
        return bool(self._interactive.ask(f"visitor {seed}", kind, asked, timeout=PREVIEW_SECONDS))

    def close(self) -> None:
        self._jobs.close()
        self._interactive.close()


def main() -> int:
    server = Server("--fake" in sys.argv)
    saying = threading.Lock()

    def answer(n: int, do: str, asked: dict[str, Any]) -> None:
        try:
            said = {"n": n, "answer": getattr(server, do)(**asked)}
        except SpecError as error:
            said = {"n": n, "refused": str(error)}
        with saying:
            print(json.dumps(said), flush=True)

    print(json.dumps({"n": 0, "answer": "ready"}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        asked = (question.pop("n"), question.pop("do"), question)
        threading.Thread(target=answer, args=asked, daemon=True).start()
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
