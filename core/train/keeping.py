"""A run's checkpoints: which are written and kept, by a thread of its own.

The run makes a copy of its tensors, which for the default network takes a few milliseconds, and trains on
while the copy is written. What is to be written to the same file meanwhile takes the earlier one's place.
"""

from __future__ import annotations

import errno
import json
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from core.files import remove_parts
from core.run.checkpoints import BEST, KEPT, LAST, UNREADABLE, head
from core.run.edits import Edit
from core.run.errors import SpecError
from core.train.checkpoint import Checkpoint, save_edits, write_checkpoint
from core.train.pace import Pace

CHECKPOINT_SECONDS = 5.0  # between two of the newest
BEST_SECONDS = 1.0  # at least, between two of the best
SHARE = 0.02  # of the run's time that these may take
MOST_KEPT = 8  # epochs, evenly over the run …
MOST_OF_ALL = 2 * MOST_KEPT + 1  # with those that a person asked for, and the best
KEPT_BYTES = 64 * 2**20  # … as far as they fit
FULL = (errno.ENOSPC, errno.EDQUOT)


def checkpoint_pace() -> Pace:
    """As often as ``AUGURY_CHECKPOINT_SECONDS`` says, whatever it costs; else the usual.

    Raises:
        SpecError: it is no number of seconds.
    """
    chosen = os.environ.get("AUGURY_CHECKPOINT_SECONDS")
    if not chosen:
        return Pace(CHECKPOINT_SECONDS, SHARE)
    try:
        return Pace(float(chosen), math.inf)
    except ValueError:
        raise SpecError("AUGURY_CHECKPOINT_SECONDS", f"{chosen!r} is not a number of seconds.") from None


class Checkpoints:
    """Keeps a run's checkpoints in ``folder``: the newest, the best epoch so far, epochs spread evenly over
    the run, and those that a person asked for.

    Args:
        take: makes a checkpoint of the run as it is now, with the name that it is given.
    """

    def __init__(self, folder: Path, take: Callable[[str], Checkpoint]) -> None:
        self._folder, self._take = folder, take
        remove_parts(folder)
        self._last, self._best = checkpoint_pace(), Pace(BEST_SECONDS, SHARE)
        self._began = time.perf_counter()
        self._best_accuracy = _accuracy_of(folder / KEPT / BEST)
        self._size = 0  # bytes of a checkpoint
        self._write_seconds = 0.0  # of a processor, that the last one took
        self._lock = threading.Condition()  # guards what follows
        self._waiting: dict[Path, Checkpoint] = {}
        self._writing = self._closing = False
        self._problem: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether the disk was full when something was last written."""
        with self._lock:
            return self._problem is not None and self._problem.errno in FULL

    def before_step(self) -> None:
        """Write the newest, if it is time to.

        Raises:
            OSError: the last could not be written, and not because the disk is full.
        """
        with self._lock:
            if self._problem is not None and self._problem.errno not in FULL:
                raise self._problem
        if time.perf_counter() - self._began >= self._last.seconds and self._last.due():
            self._last.took(self.last())

    def last(self) -> float:
        """Write the newest now; the seconds of work that one takes."""
        return self._put("", LAST)

    def has_room(self) -> bool:
        """Whether a person may keep one more: they count for each run, and for the whole disk."""
        return len(list((self._folder / KEPT).glob("*.safetensors"))) < MOST_OF_ALL

    def named(self, name: str, step: int) -> None:
        """Keep the run as it is now, under a person's name; it is the newest, too."""
        self._put(name, f"{KEPT}/{step:09}.safetensors", LAST)

    def epoch_ended(self, epoch: int, epochs: int, step: int, accuracy: float, ended: bool) -> None:
        """Keep the epoch if it is one of those spread over the run, or the best so far. Write the newest, if
        it is time to and the run has not ``ended``: then that comes after the weights."""
        if not ended and self._last.due():
            self._last.took(self.last())
        if accuracy > self._best_accuracy and self._best.due():
            self._best_accuracy = accuracy
            self._best.took(self._put("", f"{KEPT}/{BEST}"))
        if epoch % self._every(epochs) == 0:
            self._put("", f"{KEPT}/{step:09}.safetensors")

    def write(self, file: str, checkpoint: Checkpoint) -> None:
        """Have a checkpoint written that was made before."""
        with self._lock:
            self._waiting[self._folder / file] = checkpoint
            self._lock.notify_all()

    def edited(self, edits: Sequence[Edit]) -> None:
        """Write the run's edits, before the last of them is told. If they can't be written, neither can the
        checkpoint that follows, and that says so."""
        with suppress(OSError):
            save_edits(self._folder, edits)

    def flush(self, seconds: float | None = None) -> None:
        """Wait until all is written.

        Raises:
            OSError: it can't be, and why.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._lock:
            while (self._waiting or self._writing) and self._problem is None:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return
                self._lock.wait(left)
            if self._problem is not None:
                raise self._problem

    def try_again(self) -> bool:
        """Try once more to write what could not be; whether that went well."""
        with self._lock:
            self._problem = None
            self._lock.notify_all()
        try:
            self.flush()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Write what waits, and end."""
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        self._thread.join()

    def _every(self, epochs: int) -> int:
        """Every how many epochs one is kept."""
        size = max(1, self._size)
        most = min(MOST_KEPT, KEPT_BYTES // size)
        return -(-epochs // most) if most else epochs + 1

    def _put(self, name: str, *files: str) -> float:
        """Have the run as it is now written to these files; the seconds of work that one takes."""
        began = time.perf_counter()
        checkpoint = self._take(name)
        self._size = sum(value.numel() * value.element_size() for value in checkpoint.tensors.values())
        for file in files:
            self.write(file, checkpoint)
        return time.perf_counter() - began + self._write_seconds

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._closing and (not self._waiting or self._problem is not None):
                    self._lock.wait()
                if not self._waiting or self._problem is not None:
                    return
                path = next(iter(self._waiting))
                checkpoint = self._waiting.pop(path)
                self._writing = True
            problem: OSError | None = None
            began = time.thread_time()
            try:
                write_checkpoint(path, checkpoint)
            except OSError as error:
                problem = error
            except Exception as error:  # whoever waits for this thread must hear of it
                problem = OSError(errno.EIO, f"{type(error).__name__}: {error}")
            with self._lock:
                self._writing, self._problem = False, problem
                self._write_seconds = time.thread_time() - began
                if problem is not None:
                    self._waiting.setdefault(path, checkpoint)
                self._lock.notify_all()


def _accuracy_of(path: Path) -> float:
    """On the validation images, after the last epoch of a checkpoint; below any, if there is none."""
    try:
        return float(json.loads(head(path)["epochs"])[-1]["validation_accuracy"])
    except UNREADABLE:
        return -1.0
