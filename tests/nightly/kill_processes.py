"""The servers of `kills.py` and their worker processes, as seen from outside."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
SLOTS = 2  # runs at a time on this machine
CLOSE_SECONDS = 15.0
ANSWER_SECONDS = 60.0  # until a new interactive worker has imported torch on a busy machine, and answered


class GoneError(Exception):
    """The server was killed before it answered."""


class RefusedError(Exception):
    """The server answered with a sentence."""


def owner_of(pid: int) -> str:
    return f"{pid}/{psutil.Process(pid).create_time():.2f}/{platform.node()[:128]}"


def environment(home: Path, slots: int = SLOTS) -> dict[str, str]:
    given = {"AUGURY_HOME": str(home), "AUGURY_SLOTS": str(slots)}
    return {"AUGURY_THREADS": "1", **os.environ, **given}


class Server:
    """One server process and what it is asked."""

    def __init__(self, home: Path, fake: bool) -> None:
        command = [sys.executable, "-m", "tests.nightly.kill_server", *(["--fake"] if fake else [])]
        with (home / "servers.log").open("ab") as log:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=environment(home),
            )
        self.pid = self._popen.pid
        self.owner = owner_of(self.pid)
        self._count = 0
        self._lock = threading.Lock()
        self._gone = False
        self._ready: Future[Any] = Future()
        self._answers = {0: self._ready}
        threading.Thread(target=self._read, daemon=True).start()

    def wait_ready(self) -> None:
        self._ready.result(ANSWER_SECONDS)

    def start(self, do: str, **asked: Any) -> Future[Any]:
        """Ask, and don't wait."""
        answer: Future[Any] = Future()
        with self._lock:
            self._count += 1
            number = self._count
            if self._gone:
                answer.set_exception(GoneError())
            else:
                self._answers[number] = answer
        assert self._popen.stdin is not None
        with suppress(OSError):
            self._popen.stdin.write(json.dumps({"n": number, "do": do, **asked}).encode() + b"\n")
            self._popen.stdin.flush()
        return answer

    def ask(self, do: str, **asked: Any) -> Any:
        return self.start(do, **asked).result(ANSWER_SECONDS)

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()

    def close(self) -> bool:
        """Whether it ended by itself, and well."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        try:
            return self._popen.wait(CLOSE_SECONDS) == 0
        except subprocess.TimeoutExpired:
            return False

    def children(self, role: str) -> list[int]:
        """Its worker processes: ``worker`` or ``interactive``."""
        found = []
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.Error):
                if not is_zombie(child) and role_of(child.cmdline()) == role:
                    found.append(child.pid)
        return found

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            said = json.loads(line)
            with self._lock:
                answer = self._answers.pop(said["n"])
            if "refused" in said:
                answer.set_exception(RefusedError(said["refused"]))
            else:
                answer.set_result(said["answer"])
        with self._lock:
            self._gone = True
            answers, self._answers = self._answers, {}
        for answer in answers.values():
            answer.set_exception(GoneError())


def role_of(command: list[str]) -> str:
    last = command[-1] if command else ""
    names = {"worker": ("worker", "tests.jobs.fake_engine")}
    names["interactive"] = ("interactive", "tests.interactive.fake_answers")
    return next((role for role, words in names.items() if last in words), "")


def ours(home: Path) -> list[psutil.Process]:
    """The processes with this home in their environment, without those that have ended."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            home_of = process.environ().get("AUGURY_HOME")
            if home_of == str(home) and process.pid != os.getpid() and not is_zombie(process):
                found.append(process)
    return found


def is_zombie(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_ZOMBIE)
