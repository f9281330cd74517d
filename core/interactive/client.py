"""What a page needs at once, asked of one warm worker process. No torch in here.

One question is at the worker at a time. Of those that wait, a newer one of the same visitor about the same
thing (its *slot*) drops the older. Next comes the place (`core.jobs.turns`) that has had least of the
worker's time lately, there the visitor who has, or else who was answered longest ago, and of his questions
the newest. A worker that ends, or takes too long, costs the one question it was at: that page gets a
sentence, a new worker starts at once, and who waited goes on waiting. No run is touched by any of it.
"""

from __future__ import annotations

import atexit
import json
import math
import queue
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from core.interactive.errors import (
    MissingDatasetError,
    MissingPicturesError,
    NoAnswerError,
    OvertakenError,
)
from core.interactive.kept import KeptAnswers
from core.jobs.process import WorkerProcess
from core.jobs.turns import place_of
from core.run.errors import SpecError

COMMAND = (sys.executable, "-m", "core", "interactive")
DECODING = (sys.executable, "-m", "core", "decode")
LANES = ("pictures", "datasets")  # what is decoded beside each other: nobody's picture waits for a dataset
TIMEOUT = 20.0  # seconds that one answer may be computed
START_SECONDS = 120.0  # for a worker to import torch, on a machine as busy as can be
STARTS = 2  # a worker that somebody kills while it starts is started once more
WAIT_SECONDS = 90.0  # for a question's turn
POLL_SECONDS = 0.02
SLOW_IDLE_SECONDS = 120.0
HALF_LIFE = 30.0  # seconds in which half of the time that somebody has used is forgotten
MOST_VISITORS = 1_000  # whose turns are remembered

Answer = dict[str, Any]  # shared by all who asked the same: nobody writes into it


@dataclass(eq=False, slots=True)
class _Question:
    visitor: str
    slot: str
    kind: str
    args: dict[str, Any]
    key: str | None  # of its answer among those that are kept; None: it is not kept
    timeout: float
    number: int
    answer: Future[Answer] = field(default_factory=Future)


class Interactive:
    """The one place to ask; thread-safe. It starts nothing before it is first asked, or warmed.

    Args:
        command: what starts a worker.
        idle_seconds: after which a worker that nobody asks is let go.
    """

    def __init__(self, command: Sequence[str] = COMMAND, idle_seconds: float = math.inf) -> None:
        self._command = command
        self._idle_seconds = idle_seconds
        self._asked_at = time.monotonic()
        self._changed = threading.Condition()
        self._waiting: list[_Question] = []
        self._turns: OrderedDict[str, int] = OrderedDict()  # visitor: the number of his last answer
        self._used = TimeUsed()  # by visitor, and by place
        self._count = 0
        self._kept = KeptAnswers()
        self._worker: WorkerProcess | None = None
        self._ready = threading.Event()
        self._unstartable = False  # wait until one is asked for: the last could not start, or was idle
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(
        self,
        visitor: str,
        kind: str,
        args: dict[str, Any],
        *,
        slot: str | None = None,
        timeout: float = TIMEOUT,
        keep: bool = True,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Wait for the answer.

        Args:
            slot: what it is about; by default its kind. See above.
            timeout: seconds that the worker may compute.
            keep: whether the answer follows from ``kind`` and ``args`` alone, so that all who ask the same
                within a minute may share it.
            meanwhile: called every 20 ms; what it raises withdraws the question and is passed on.

        Raises:
            SpecError: what was asked can't be done.
            NoAnswerError: the worker ended or took too long.
            OvertakenError: see there.
            MissingPicturesError: see there.
            MissingDatasetError: see there.
        """
        key = json.dumps([kind, args], sort_keys=True) if keep else None
        with self._changed:
            if self._closed:
                raise NoAnswerError("Augury is closing.")
            self._count += 1
            question = _Question(visitor, slot or kind, kind, args, key, timeout, self._count)
            self._overtake(question)
            if key is not None and (known := self._kept.get(key)) is not None:
                return known
            self._waiting.append(question)
            self._unstartable = False
            self._asked_at = time.monotonic()
            self._start()
            self._changed.notify_all()
        began = time.monotonic()
        try:
            while True:
                try:
                    return question.answer.result(POLL_SECONDS)
                except TimeoutError:
                    meanwhile()
                    if time.monotonic() - began > WAIT_SECONDS and question.answer.cancel():
                        raise NoAnswerError(
                            "Too many visitors ask for pictures at this moment; try again soon."
                        ) from None
                except CancelledError:
                    raise NoAnswerError("Augury is closing.") from None
        finally:
            question.answer.cancel()  # if it still waits

    def warm(self) -> None:
        """Start a worker now; it imports torch while nobody waits for it."""
        with self._changed:
            if not self._closed:
                self._start()

    def wait_ready(self, timeout: float) -> bool:
        """Whether the worker is ready within ``timeout`` seconds."""
        return self._ready.wait(timeout)

    def close(self) -> None:
        """Let the worker go, and all who wait with it."""
        with self._changed:
            self._closed = True
            for question in self._waiting:
                question.answer.cancel()
            self._waiting.clear()
            worker, thread = self._worker, self._thread
            self._changed.notify_all()
        if worker is not None:
            worker.kill()
        if thread is not None:
            thread.join(5)

    # The questions that wait, under the lock.

    def _overtake(self, newer: _Question) -> None:
        for older in self._waiting:
            if (older.visitor, older.slot) == (newer.visitor, newer.slot):
                self._waiting.remove(older)
                if older.answer.set_running_or_notify_cancel():
                    older.answer.set_exception(OvertakenError())
                return

    def _pick(self) -> _Question | None:
        """The next one, taken out; None if none waits."""
        self._waiting = [each for each in self._waiting if not each.answer.cancelled()]
        if not self._waiting:
            return None
        visitor = min(self._waiting, key=self._turn).visitor
        his = [each for each in self._waiting if each.visitor == visitor]
        next_one = max(his, key=lambda each: each.number)
        self._waiting.remove(next_one)
        self._count += 1
        self._turns[visitor] = self._count
        self._turns.move_to_end(visitor)
        if len(self._turns) > MOST_VISITORS:
            self._turns.popitem(last=False)
        return next_one

    def _turn(self, question: _Question) -> tuple[int, int, int, int]:
        """What is least comes next. Less than a second of time is none: who draws now and then is equal."""
        visitor = question.visitor
        lately = int(self._used.lately(place_of(visitor))), int(self._used.lately(visitor))
        return (
            *lately,
            self._turns.get(visitor, 0),
            question.number,
        )  # of those never answered, who came first

    # The thread that speaks with the worker.

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="interactive", daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        while not self._closed:
            try:
                worker = self._ready_worker()
            except NoAnswerError as error:
                self._refuse_all(error)
                worker = None
            with self._changed:
                question = self._pick() if worker is not None else None
                if question is None:
                    self._changed.wait_for(lambda: bool(self._waiting) or self._closed, 0.5)
                    self._let_go_if_idle()
                    continue
            if not question.answer.set_running_or_notify_cancel():
                continue
            known = None if question.key is None else self._kept.get(question.key)
            began = time.monotonic()
            try:
                assert worker is not None
                answer = self._computed(worker, question) if known is None else known
            except Exception as error:
                question.answer.set_exception(error)
            else:
                question.answer.set_result(answer)
            for whose in {question.visitor, place_of(question.visitor)}:
                self._used.add(whose, time.monotonic() - began)

    def _let_go_if_idle(self) -> None:
        """Under the lock."""
        idle = time.monotonic() - self._asked_at > self._idle_seconds
        if idle and not self._waiting and self._worker is not None:
            self._let_go(self._worker)
            self._unstartable = True

    def _ready_worker(self) -> WorkerProcess | None:
        """The worker, once it is ready: a new one if the last has ended. None while none can be started and
        nobody asks.

        Raises:
            NoAnswerError: it ended before it was ready.
        """
        worker = self._worker
        if worker is not None and self._ready.is_set() and worker.is_alive():
            return worker
        if worker is not None:
            self._let_go(worker)
        if self._unstartable:
            return None
        why = ""
        for _ in range(STARTS):
            worker = self._begin()
            if worker is None:
                return None
            try:
                message = worker.messages.get(timeout=START_SECONDS)
            except queue.Empty:
                worker.kill()
                why = worker.why_it_ended()
                break
            if message is not None:
                self._ready.set()
                return worker
            why = worker.why_it_ended()
            if not worker.was_killed():
                break
        self._unstartable = True
        raise NoAnswerError(f"The process that computes pictures did not start. {why}")

    def _begin(self) -> WorkerProcess | None:
        """A new process; None once we are closing."""
        try:
            with self._changed:
                if self._closed:
                    return None
                self._worker = worker = WorkerProcess(self._command)
                return worker
        except OSError as error:
            self._unstartable = True
            raise NoAnswerError(f"The process that computes pictures can't be started: {error}.") from None

    def _computed(self, worker: WorkerProcess, question: _Question) -> Answer:
        """What the worker says; it is gone after an error that is no fault of the question's."""
        worker.send({"id": question.number, "kind": question.kind, "args": question.args})
        deadline = time.monotonic() + question.timeout
        message: dict[str, Any] | None = {}
        while message is not None and message.get("id") != question.number:
            try:
                message = worker.messages.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self._let_go(worker)
                raise NoAnswerError(
                    f"It took longer than {question.timeout:g} s and was ended; try smaller images or fewer "
                    "operations."
                ) from None
        if message is None:
            why = worker.why_it_ended()
            self._let_go(worker)
            raise NoAnswerError(f"{why} A new one starts; try smaller images or fewer operations.")
        if message.get("gone"):
            self._let_go(worker)
        if "refused" in message:
            raise SpecError(message["refused"]["where"], message["refused"]["what"])
        if "missing" in message:
            raise MissingPicturesError(message["missing"])
        if "missing_dataset" in message:
            raise MissingDatasetError(message["missing_dataset"])
        if "failed" in message:
            raise NoAnswerError(message["failed"])
        answer: Answer = message["answer"]
        if question.key is not None:
            self._kept.keep(question.key, answer)
        return answer

    def _let_go(self, worker: WorkerProcess) -> None:
        self._ready.clear()
        self._worker = None
        worker.kill()

    def _refuse_all(self, error: NoAnswerError) -> None:
        with self._changed:
            waiting, self._waiting = self._waiting, []
        for question in waiting:
            if question.answer.set_running_or_notify_cancel():
                question.answer.set_exception(error)


class TimeUsed:
    """Seconds that each has used, half of which are forgotten every `HALF_LIFE` seconds."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, tuple[float, float]] = (
            OrderedDict()
        )  # seconds, and when they were so many

    def lately(self, who: str) -> float:
        seconds, at = self._used.get(who, (0.0, 0.0))
        return float(seconds * 0.5 ** ((time.monotonic() - at) / HALF_LIFE)) if seconds else 0.0

    def add(self, who: str, seconds: float) -> None:
        self._used[who] = (self.lately(who) + seconds, time.monotonic())
        self._used.move_to_end(who)
        if len(self._used) > 2 * MOST_VISITORS:
            self._used.popitem(last=False)


@cache
def shared_interactive() -> Interactive:
    """The one of this process; it ends with it."""
    interactive = Interactive()
    atexit.register(interactive.close)
    return interactive


@cache
def shared_slow() -> Interactive:
    """Another one, for what takes seconds: whoever asks for it waits in a lane of his own. It starts when it
    is first asked, and is let go when nobody asks."""
    interactive = Interactive(idle_seconds=SLOW_IDLE_SECONDS)
    atexit.register(interactive.close)
    return interactive


@cache
def shared_decoder(lane: str) -> Interactive:
    """The worker of this process that decodes strangers' bytes in one of `LANES`; see
    `core.interactive.decoding`. It starts when it is first asked, and ends with this process."""
    assert lane in LANES
    decoder = Interactive(DECODING)
    atexit.register(decoder.close)
    return decoder


def close_shared() -> None:
    """End all workers of this process that answer pages."""
    shared_interactive().close()
    shared_slow().close()
    for lane in LANES:
        shared_decoder(lane).close()
