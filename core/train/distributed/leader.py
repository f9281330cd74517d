"""The first process of a run that several train: it starts the others, tells them what to do, and ends them.

The others are told in JSON lines on their standard input, just before this process does the same. A process
that is gone ends what it was in the middle of, for all; none is left behind, however this one ends: the
others' standard input ends with it, and Linux kills them (`core.pipes.end_with_parent`).
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

import core
from core.processes import HELPERS
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.runtime import thread_count
from core.train.alone import ProcessLostError
from core.train.distributed.group import PATIENCE, Group, check_processes
from core.train.distributed.share import Share
from core.train.session import LISTEN_SECONDS, Session, device_of

COMMAND = (sys.executable, "-m", "core.train.distributed.follower")
GONE_SECONDS = 2.0  # how long the end of a process may take to show after an exchange with it has failed
PARTING_SECONDS = 2.0
GO_ON = "The run ended with it; it can go on from its last checkpoint, if it has one."


class Leader:
    """The processes of a run beside this one, from their start to their end. To be closed.

    Args:
        spec: completed; of ``train.processes`` processes.
        prepares: what the others need to be where this one will be, see `core.train.distributed.follower`.

    Raises:
        SpecError: this machine can't have so many.
    """

    def __init__(self, spec: RunSpec, prepares: Mapping[str, Any]) -> None:
        count = spec.train.processes
        check_processes(count, device_of(spec.train))
        self._threads_before = torch.get_num_threads()
        threads = max(1, thread_count() // count)
        self._folder = Path(tempfile.mkdtemp(prefix="augury-"))
        self._group: Group | None = None
        first = {
            "spec": spec.model_dump(mode="json"),
            "processes": count,
            "threads": threads,
            "meeting": str(self._folder / "meeting"),
            **prepares,
        }
        self._others: list[_Other] = []
        try:
            for rank in range(1, count):
                self._others.append(_Other(rank, count))
                self._others[-1].tell({**first, "rank": rank})
        except BaseException:
            self.close()
            raise
        torch.set_num_threads(threads)

    def join(self, session: Session, check: Callable[[], None]) -> None:
        """Have ``session`` trained by all of them, once they are ready.

        Args:
            check: raises `StoppedError` if the run was asked to stop meanwhile.

        Raises:
            ProcessLostError: one of them has ended.
            SpecError: one of them can't train this.
        """
        for other in self._others:
            other.wait_until_ready(check)
        share = Share(0, len(self._others) + 1)
        self._group = _Told(session, share, self._folder / "meeting", self._others)
        session.together = self._group

    def why_lost(self, error: RuntimeError) -> str:
        """A sentence, if one of them has ended, or does not answer; empty if ``error`` has another cause."""
        deadline = time.monotonic() + GONE_SECONDS
        while True:
            for other in self._others:
                if why := other.why_ended():
                    return why
            if time.monotonic() > deadline:
                late = "imed out" in str(error)  # what torch says of an exchange
                minutes = f"{PATIENCE.total_seconds() / 60:g} minutes"
                return f"One of the run's processes did not answer for {minutes}. {GO_ON}" if late else ""
            time.sleep(LISTEN_SECONDS)

    def close(self) -> None:
        """End the others, and have this process as it was."""
        for other in self._others:
            other.hang_up()
        if self._group is not None:
            with suppress(RuntimeError):  # the others may be gone already
                self._group.close()
        for other in self._others:
            other.end()
        torch.set_num_threads(self._threads_before)
        shutil.rmtree(self._folder, ignore_errors=True)


class _Told(Group):
    """The first process of a group."""

    def __init__(self, session: Session, share: Share, meeting: Path, others: Sequence[_Other]) -> None:
        super().__init__(session, share, meeting)
        self._others = others

    def tell(self, message: Mapping[str, Any]) -> None:
        for other in self._others:
            other.tell(message)


class _Other:
    """One of the processes beside the first. A thread of its own listens to it."""

    def __init__(self, rank: int, processes: int) -> None:
        self._name = f"Process {rank + 1} of {processes}"
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._popen = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(core.__file__).parents[1],  # where `-m core` is found
        )
        HELPERS.add(self._popen.pid)
        self._thread = threading.Thread(target=self._listen, name=f"process-{rank + 1}", daemon=True)
        self._thread.start()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Have it do something.

        Raises:
            ProcessLostError: it is gone.
        """
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(json.dumps(message).encode() + b"\n")
            self._popen.stdin.flush()
        except (OSError, ValueError):
            raise ProcessLostError(self._why_gone()) from None

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        while True:
            check()
            try:
                said = self._said.get(timeout=LISTEN_SECONDS)
            except queue.Empty:
                continue
            if said is None:
                raise ProcessLostError(self._why_gone())
            if "refused" in said:
                raise SpecError("", str(said["refused"]))
            return

    def why_ended(self) -> str:
        """A sentence, if it has ended; empty while it lives."""
        status = self._popen.poll()
        if status is None:
            return ""
        if status < 0:
            often = " (often: out of memory; try a smaller batch or network)" if status == -9 else ""
            return f"{self._name} was killed by signal {-status}{often}. {GO_ON}"
        return f"{self._name} ended with exit status {status}. {GO_ON}"

    def hang_up(self) -> None:
        """Have it end by itself."""
        assert self._popen.stdin is not None
        with suppress(OSError, ValueError):
            self._popen.stdin.close()

    def end(self) -> None:
        """Collect it; what does not end by itself is killed."""
        try:
            self._popen.wait(PARTING_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        HELPERS.discard(self._popen.pid)
        self._thread.join(PARTING_SECONDS)

    def _why_gone(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(GONE_SECONDS)
        return self.why_ended() or f"{self._name} closed its input, and the run was ended."

    def _listen(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as pipe:
            for line in pipe:
                with suppress(ValueError):
                    self._said.put(json.loads(line))
        self._said.put(None)
