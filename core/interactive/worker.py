"""The interactive worker: questions of pages in on standard input, answers out on standard output.

One JSON object a line. In: ``{"id": 7, "kind": "preview", "args": {…}}``. Out: ``{"ready": true, "pid": …}``
once, then for each question one of

    {"id": 7, "answer": {…}}
    {"id": 7, "refused": {"where": "augment.ops[0].p", "what": "…"}}    what was asked can't be done
    {"id": 7, "missing": ["<digest>", …]}                              pictures to send again first
    {"id": 7, "missing_dataset": {"name": "folder", "path": …}}        images to have decoded first
    {"id": 7, "failed": "…"}                                           a fault of ours, or too little memory

``"gone": true`` beside ``failed`` says that the worker ends now. It also ends when standard input does, for
then whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from core.interactive.errors import MissingDatasetError, MissingPicturesError
from core.jobs.memory import end_above
from core.pipes import claim, end_with_parent, lower_priority, read, write
from core.run.errors import SpecError
from core.text.paths import without_paths

NICENESS = 5  # pages go first, training (10) last
MOST_BYTES = 3 * 2**30  # of memory; ``AUGURY_INTERACTIVE_BYTES`` says otherwise
SMALLER = "try smaller images, a smaller batch or fewer operations"

Answers = Mapping[str, Callable[[bytes], dict[str, Any]]]  # arguments as JSON, for they are checked as such
WarmUp = Iterator[None]  # one step each time it is asked for the next


def load_answers() -> tuple[Answers, WarmUp]:
    """Import what computes, and set torch up: on half of the threads, for pages and a run want the others."""
    import torch

    from core.interactive.answers import ANSWERS, warm_up
    from core.runtime import prepare_torch

    prepare_torch()
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    return ANSWERS, warm_up()


def serve(
    load: Callable[[], tuple[Answers, WarmUp]] = load_answers,
    niceness: int = NICENESS,
    most_bytes: int | None = None,
) -> int:
    """Answer until standard input ends; the process's exit status.

    Args:
        most_bytes: of memory, beyond which it ends itself; None: as the environment says, or 3 GiB.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches us too, but the parent decides
    end_with_parent()
    lower_priority(niceness)
    questions: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    lines = claim(0, "rb")
    outbox = _Outbox(claim(1, "wb"))
    threading.Thread(target=_read, args=(lines, questions), name="inbox", daemon=True).start()
    most = most_bytes or int(os.environ.get("AUGURY_INTERACTIVE_BYTES") or MOST_BYTES)
    end_above(most, lambda what: outbox.say_and_end(f"It {what}; {SMALLER}."))
    answers, warm_up = load()
    outbox.say({"ready": True, "pid": os.getpid()})
    for _ in warm_up:  # as long as nobody asks anything
        if not questions.empty():
            break
    while True:
        question = questions.get()
        outbox.asked = question["id"]
        outbox.say({"id": question["id"], **_answered(answers, question)})
        outbox.asked = None


def _answered(answers: Answers, question: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": answers[question["kind"]](json.dumps(question["args"]).encode())}
    except SpecError as error:
        return {"refused": {"where": error.where, "what": error.what}}
    except MissingPicturesError as error:
        return {"missing": error.digests}
    except MissingDatasetError as error:
        return {"missing_dataset": error.data}
    except MemoryError:
        return {"failed": "There is too little memory for this; try smaller images or fewer operations."}
    except Exception as error:
        traceback.print_exc()
        return {
            "failed": " ".join(f"It failed: {type(error).__name__}: {without_paths(str(error))}".split())[
                :500
            ]
        }


class _Outbox:
    """What is said, line by line; ``asked`` is the question that is being answered."""

    def __init__(self, pipe: BinaryIO) -> None:
        self.asked: int | None = None
        self._pipe = pipe
        self._lock = threading.Lock()

    def say(self, message: dict[str, Any]) -> None:
        with self._lock:
            write(self._pipe, message)

    def say_and_end(self, sentence: str) -> None:
        """Last words; nothing is said after them."""
        with self._lock:
            if self.asked is not None:
                write(self._pipe, {"id": self.asked, "failed": sentence, "gone": True})
            os._exit(1)


def _read(lines: BinaryIO, questions: queue.SimpleQueue[dict[str, Any]]) -> None:
    for question in read(lines):
        questions.put(question)
    os._exit(0)  # whatever is still computing
