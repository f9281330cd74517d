"""An engine without torch that does what the spec's name says, and the worker process that serves it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from core.run.commands import Control
from core.run.errors import SpecError
from core.run.spec import RunSpec

STARTED = {
    "event": "started", "device": "cpu", "device_name": "CPU", "threads": 2, "parameters": 10,
    "train_images": 100, "validation_images": 20, "classes": ["a", "b"], "epochs": 3,
    "steps_per_epoch": 2, "notes": [],
}  # fmt: skip


def worker_processes() -> list[psutil.Process]:
    """This process's children that are workers of this engine; a browser may be another child."""
    children = psutil.Process().children()
    return [child for child in children if any("fake_engine" in word for word in child.cmdline())]


def step(number: int, loss: float = 1.0) -> dict[str, Any]:
    return {
        "event": "step", "step": number, "epoch": number / 2,
        "loss": loss, "penalty": 0.5, "learning_rate": 0.1,
    }  # fmt: skip


def epoch(number: int, accuracy: float = 0.5, seconds: float = 1.0) -> dict[str, Any]:
    layer = {"exact": 0.25, "near": 0.5, "weights": 8}
    return {
        "event": "epoch", "epoch": number, "step": 2 * number, "train_loss": 1.0, "train_accuracy": 0.4,
        "validation_loss": 1.1, "validation_accuracy": accuracy, "penalty": 0.5, "seconds": seconds,
        "images_per_second": 100.0, "sparsity": {**layer, "layers": {"fc": layer}},
    }  # fmt: skip


def finished(*epochs: dict[str, Any]) -> dict[str, Any]:
    return {
        "event": "finished", "epochs": len(epochs), "seconds": 3.0,
        "result": epochs[-1], "last": epochs[-1],
    }  # fmt: skip


def state(name: str, reason: str = "") -> dict[str, Any]:
    return {"event": "state", "state": name, "reason": reason}


BATCH = {"event": "batch", "step": 1, "images": ["data:image/png;base64,"], "count": 1, "labels": ["a"]}


def run(
    spec: RunSpec, control: Any, *, kind: str = "train", inputs: Any = None, out: Path | None = None
) -> Iterator[dict[str, Any]]:
    if spec.name == "refused":
        raise SpecError("train.epochs", "it is refused.")
    yield state("running")
    yield STARTED
    yield BATCH
    if spec.name.startswith("until stopped"):
        yield step(1)
        control.stop.wait(60)
        yield state("stopped")
        return
    if spec.name == "listens":
        heard = control.wait(60)
        while len(heard) < 2:
            heard += control.wait(60)
        yield state("finished", f"{kind} {inputs} {heard}")
        return
    if spec.name.startswith("lasts "):  # "lasts 1.5 s"
        for tenth in range(int(10 * float(spec.name.split()[1]))):
            yield step(tenth + 1)
            if control.stop.wait(0.1):
                yield state("stopped")
                return
        yield state("finished")
        return
    yield from MISCHIEF.get(spec.name, lambda: ())()
    if spec.name == "silent":
        return
    epochs = [epoch(1, 0.4), epoch(2, 0.9), epoch(3, 0.8)]
    for each in epochs:
        yield step(2 * each["epoch"] - 1)
        yield each
    yield finished(*epochs)
    yield state("finished", f"{spec.seed} {out} {os.getpid()}" if spec.name == "tells" else "")


def _killed() -> Iterator[dict[str, Any]]:
    yield step(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _exits() -> Iterator[dict[str, Any]]:
    print("a library says goodbye", file=sys.stderr, flush=True)
    os._exit(3)
    yield


def _prints() -> Iterator[dict[str, Any]]:
    print("a library prints")
    print("☃", end="", flush=True)
    os.system("echo a child prints")
    os.write(1, b'{"run": "from C code, and no line break"')
    yield step(7)


def _raises() -> Iterator[dict[str, Any]]:
    yield step(1)
    raise RuntimeError("too\nbad")


def _deaf() -> Iterator[dict[str, Any]]:
    yield step(1)
    threading.Event().wait(60)


def _not_finite() -> Iterator[dict[str, Any]]:
    yield step(1, float("nan"))
    yield step(2, float("inf"))


MISCHIEF: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "killed": _killed,
    "exits": _exits,
    "prints": _prints,
    "raises": _raises,
    "deaf": _deaf,
    "not finite": _not_finite,
}


def load() -> tuple[Any, Any]:
    return run, Control


WORKER = (sys.executable, "-m", "tests.jobs.fake_engine")

if __name__ == "__main__":
    from core.jobs.worker import serve

    sys.exit(serve(load))
