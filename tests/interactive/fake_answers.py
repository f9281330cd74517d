"""Answers without torch that do what a question's kind says, and the interactive worker that gives them."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

import psutil

from core.interactive.errors import MissingPicturesError
from core.interactive.worker import serve
from core.run.errors import SpecError

Args = dict[str, Any]


def echo(args: Args) -> Args:
    return {**args, "pid": os.getpid(), "at": time.monotonic_ns()}


def sleep(args: Args) -> Args:
    time.sleep(args["seconds"])
    return echo(args)


def shout(args: Args) -> Args:
    print("a library's own words")
    return echo(args)


def refuse(args: Args) -> Args:
    raise SpecError("augment.ops[0].p", "p must be at most 1.")


def missing(args: Args) -> Args:
    raise MissingPicturesError(["a", "b"])


def fail(args: Args) -> Args:
    raise ValueError("no such thing")


def crash(args: Args) -> Args:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def eat(args: Args) -> Args:
    eaten = [b"x" * 2**20 for _ in range(args["megabytes"])]
    time.sleep(5)
    return {"eaten": len(eaten)}


def _of_json(answer: Any) -> Any:
    return lambda args: answer(json.loads(args))


ANSWERS = {each.__name__: _of_json(each) for each in (echo, sleep, shout, refuse, missing, fail, crash, eat)}
WORKER = (sys.executable, "-m", "tests.interactive.fake_answers")
BROKEN = (*WORKER, "broken")


def worker_processes() -> list[psutil.Process]:
    """This process's children that give these answers."""
    children = [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]
    return [child for child in children if any("fake_answers" in word for word in child.cmdline())]


def load() -> tuple[Any, Any]:
    if "broken" in sys.argv:
        sys.exit("torch is not installed")
    return ANSWERS, iter(())


if __name__ == "__main__":
    sys.exit(serve(load))
