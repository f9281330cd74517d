"""A worker process as its parent sees it: pipes, the last words on standard error, an end."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

import core
from core.pipes import MAX_LINE, SAID_WHY
from core.runtime import prepare_environment
from core.text.paths import without_paths

WORKER_COMMAND = (sys.executable, "-m", "core", "worker")
LAST_WORDS = 40  # lines of standard error that are kept
PARTING_SECONDS = 2.0  # a worker that was told to go has this long


class WorkerProcess:
    """Starts ``command``; a reader thread puts what it says into ``messages``, and None at its end.

    The worker ends by itself when its standard input does, so it outlives no parent, however that ended; on
    Linux it is killed even before (`core.processes.end_with_parent`).

    Raises:
        OSError: the command can't be started.
    """

    has_helpers = False
    """Whether its job is one that several processes compute."""

    def __init__(self, command: Sequence[str] = WORKER_COMMAND) -> None:
        self._popen = _STARTER.start(command)
        self.messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._listeners = [
            threading.Thread(target=target, name=f"worker-{self.pid}", daemon=True)
            for target in (self._read_messages, self._read_errors)
        ]
        for thread in self._listeners:
            thread.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def resident_bytes(self) -> int:
        """The memory it holds, with the processes that help it; 0 if it is gone."""
        try:
            process = psutil.Process(self.pid)
            held = int(process.memory_info().rss)
            # Looking for them takes some milliseconds, which all who watch a run would wait for.
            helpers = process.children(recursive=True) if self.has_helpers else []
        except psutil.Error:
            return 0
        for helper in helpers:
            with suppress(psutil.Error):
                held += int(helper.memory_info().rss)
        return held

    def send(self, message: dict[str, Any]) -> None:
        """Say something; a worker that is gone is noticed by its messages' end, not here."""
        assert self._popen.stdin is not None
        with suppress(OSError, ValueError):
            self._popen.stdin.write(json.dumps(message).encode() + b"\n")
            self._popen.stdin.flush()

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()
        self._leave()

    def close(self) -> None:
        """Let it go: it ends when its standard input does, or else is killed."""
        self.hang_up()
        try:
            self._popen.wait(PARTING_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
        self._leave()

    def hang_up(self) -> None:
        """Close its standard input, without waiting for its end."""
        assert self._popen.stdin is not None
        with suppress(OSError):  # what was still to be flushed has no reader any more
            self._popen.stdin.close()

    def why_it_ended(self) -> str:
        """One sentence, once ``messages`` has ended."""
        try:
            status = self._popen.wait(PARTING_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return "The worker process closed its output and was ended."
        self._leave()
        if status < 0:
            often = " (often: out of memory; try a smaller batch or network)" if status == -9 else ""
            return f"The worker process was killed by signal {-status}{often}."
        last = next((line for line in reversed(self._last_words) if line.strip()), "it gave no reason.")
        if status == SAID_WHY:
            return without_paths(last.strip()[:500])
        return f"The worker process ended with exit status {status}: {without_paths(last.strip()[:500])}"

    def was_killed(self) -> bool:
        """Whether it has ended by a signal."""
        return (self._popen.poll() or 0) < 0

    def _leave(self) -> None:
        """Collect a process that ends now, its pipes and its threads."""
        self._popen.wait()
        self.hang_up()
        for thread in self._listeners:
            thread.join(PARTING_SECONDS)

    def _read_messages(self) -> None:
        for line in _lines(self._popen.stdout):
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict):
                self.messages.put(message)
            else:
                self._last_words.append(line.decode(errors="replace"))
        self.messages.put(None)

    def _read_errors(self) -> None:
        for line in _lines(self._popen.stderr):
            self._last_words.append(line.decode(errors="replace"))


def _lines(pipe: IO[bytes] | None) -> Iterator[bytes]:
    assert pipe is not None
    with pipe:
        yield from iter(lambda: pipe.readline(MAX_LINE), b"")


class _Starter:
    """Starts processes from a thread that lives as long as this process does: Linux tells a child when the
    *thread* that started it ends, and in Streamlit that could be a page's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked: queue.SimpleQueue[tuple[Sequence[str], Future[subprocess.Popen[bytes]]]]

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        started: Future[subprocess.Popen[bytes]] = Future()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # at first, and after a fork
                self._asked = queue.SimpleQueue()
                self._thread = threading.Thread(target=self._serve, name="starter", daemon=True)
                self._thread.start()
            self._asked.put((command, started))
        return started.result()

    def _serve(self) -> None:
        while True:
            command, started = self._asked.get()
            try:
                started.set_result(_popen(command))
            except Exception as error:
                started.set_exception(error)


_STARTER = _Starter()


def _popen(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(core.__file__).parents[1],  # where `-m core` is found
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    prepare_environment(environment)
    return environment
