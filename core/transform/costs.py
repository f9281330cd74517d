"""What networks cost: their numbers counted in their files, and their time measured side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from core.layers.quantise import BITS, RANGE
from core.measure.calibration import calibration_error
from core.models.summary import multiply_adds
from core.run.made import weights_of
from core.run.spec import RunSpec
from core.train.checkpoint import WEIGHTS
from core.train.evaluation import evaluate
from core.train.session import Session
from core.train.teachers import open_network, sources_in
from core.transform.packing import packed_bytes

BATCH = 256  # images at a time, of the second measurement; the first has one
ROUNDS, LEAST_SECONDS = 15, 0.4  # of each: rounds that go through all networks, and at least so long


def costs(spec: RunSpec, out: Path, check: Callable[[], None]) -> Iterator[dict[str, Any]]:
    """A row for the network in ``out`` and each that it was made of: ``place`` None is its own.

    Time is measured in turns, one network after the other, so that what else the machine does meanwhile hits
    all of them alike; the median of the rounds counts. ``times`` is the median of its own time over that of
    the first that it was made of, round by round, of many images; ``times_low`` to ``times_high`` is the
    middle half.
    """
    own = open_network(spec, out / WEIGHTS, spec.train.device, check)
    before = sources_in(out, spec.train.device, check)
    sessions = [own, *before]
    files = [out / WEIGHTS, *(out / weights_of(i) for i in range(len(before)))]
    (one, _), (many, ratios) = measured_times(sessions, check)
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    for number, (session, file) in enumerate(zip(sessions, files, strict=True)):
        check()
        judged = evaluate(session, session.validation)
        yield {
            "table": "costs",
            "place": None if number == 0 else number - 1,
            "accuracy": judged.accuracy,
            "loss": judged.loss,
            "images": len(judged.correct),
            "calibration_error": calibration_error(judged.confidence, judged.correct),
            **counted(file),
            "bytes": file.stat().st_size,
            "packed_bytes": packed_bytes(file),
            "multiply_adds": multiply_adds(
                session.model, channels=session.train.channels, side=session.train.side
            ),
            "microseconds_alone": one[number],
            "microseconds": many[number],
            **({"times": middle, "times_low": low, "times_high": high} if number == 0 else {}),
            "batch": BATCH,
            "device": str(session.device.type),
            "threads": torch.get_num_threads(),
        }


def counted(file: Path) -> dict[str, int]:
    """In a file of weights: numbers that were learned, and those of them that are exactly 0."""
    learned = {
        name: value
        for name, value in load_file(file).items()
        if name.rpartition(".")[2] not in (RANGE, BITS, "running_mean", "running_var", "num_batches_tracked")
    }
    return {
        "parameters": sum(value.numel() for value in learned.values()),
        "zeros": sum(int((value == 0).sum()) for value in learned.values()),
    }


@torch.inference_mode()
def measured_times(
    sessions: Sequence[Session], check: Callable[[], None]
) -> list[tuple[list[float], list[float]]]:
    """Of one image at a time, and of `BATCH`: microseconds an image of each network, forward only; and of
    each round the time of the first network over that of the second."""
    images = sessions[0].validation.images
    whole = images[torch.arange(BATCH, device=images.device) % len(images)].float().div_(255)
    found = []
    for count in (1, BATCH):
        inputs = [session.normalised(whole[:count]) for session in sessions]
        rounds: list[list[float]] = [[] for _ in sessions]
        began = time.perf_counter()
        while len(rounds[0]) < ROUNDS or time.perf_counter() - began < LEAST_SECONDS:
            check()
            for session, batch, times in zip(sessions, inputs, rounds, strict=True):
                times.append(_seconds(session.model, batch))
        ratios = [own / before for own, before in zip(rounds[0][1:], rounds[1][1:], strict=True)]
        found.append(([1e6 * median(times[1:]) / count for times in rounds], ratios))
    return found


def _seconds(model: nn.Module, images: Tensor) -> float:
    began = time.perf_counter()
    model(images)
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - began
