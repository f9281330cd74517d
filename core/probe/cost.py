"""What augmentation costs: microseconds an image, by operation, and beside a step of training.

Timed here and now, on the device and with whatever else it is doing: a median over rounds, each of which
times everything once, so that a busy moment falls on all alike. The first round, in which memory is
found and kernels are loaded, is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor

from core.augment.check import completed_augment
from core.augment.mixing import Mixer
from core.augment.one_operation import alone, title
from core.augment.pipeline import Pipeline
from core.catalogues import completed
from core.run.spec import AugmentSpec, RunSpec
from core.train.session import epoch_order, open_session
from core.train.step import train_step

WHOLE = "The whole pipeline"
MIN_ROUNDS = 3  # of fewer a median says little

Stage = Pipeline | Mixer  # both draw for a batch, and apply what was drawn


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds an image, for drawing random numbers and for applying what was drawn."""

    title: str
    draw: float
    apply: float

    @property
    def total(self) -> float:
        return self.draw + self.apply


@dataclass(frozen=True, slots=True)
class Costs:
    """What is known after some rounds.

    Args:
        parts: of each operation that is switched on, by itself; those that are fused are one. At last
            of the mix, if there is one.
        whole: of all of them as they are set.
        device: "cpu" or "cuda".
        done: the share of the measurement that is done, from 0 to 1.
    """

    parts: tuple[Cost, ...]
    whole: Cost
    device: str
    done: float

    def share_of_step(self, training_us: float) -> float:
        """The share, from 0 to 1, of a training step's time that augmentation takes, where the rest of
        the step takes ``training_us`` microseconds an image."""
        return self.whole.total / (self.whole.total + training_us)


def measure(
    spec: AugmentSpec, images: Tensor, *, seed: int, device: str = "auto", seconds: float = 0.3
) -> Iterator[Costs]:
    """Time ``spec`` on uint8 ``images`` (N, C, S, S), a batch of any size; after each round, what is known.

    It ends after `MIN_ROUNDS` or about ``seconds``, whichever is later.

    Raises:
        SpecError: an operation does not fit these images.
    """
    spec = completed_augment(spec, images.shape[1])
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = images.to(device).float().div_(255)
    rows = _rows(spec, batch, seed)
    for _, stages in rows:
        _time(stages, batch, 0)
    times: list[list[tuple[float, float]]] = [[] for _ in rows]
    began, rounds, done = time.perf_counter(), 0, 0.0
    while done < 1:
        rounds += 1
        for (_, stages), taken in zip(rows, times, strict=True):
            taken.append(_time(stages, batch, rounds))
        done = min(rounds / MIN_ROUNDS, (time.perf_counter() - began) / seconds, 1.0)
        each = 1e6 / len(batch)
        *parts, whole = (
            Cost(name, *(each * median(part) for part in zip(*taken, strict=True)))
            for (name, _), taken in zip(rows, times, strict=True)
        )
        yield Costs(tuple(parts), whole, device, done)


def training_step(spec: RunSpec, *, seconds: float = 0.3) -> float:
    """Microseconds an image of a step of training as ``spec`` says, without augmentation.

    Real steps on real images, of a network that is made for this and thrown away.

    Raises:
        SpecError: the spec can't be run.
    """
    session = open_session(completed(spec.model_copy(update={"augment": AugmentSpec()})))
    index = epoch_order(session.spec, len(session.train), 1)[: session.spec.train.batch_size]
    index = index.to(session.device)

    def step(k: int) -> None:
        train_step(session, session.augmented(index, k), session.train.labels[index], k)
        _wait_for(session.device)

    session.model.train()
    step(0)
    taken: list[float] = []
    while len(taken) < MIN_ROUNDS or sum(taken) < seconds:
        began = time.perf_counter()
        step(len(taken) % session.num_steps)
        taken.append(time.perf_counter() - began)
    return 1e6 * median(taken) / len(index)


def _rows(spec: AugmentSpec, batch: Tensor, seed: int) -> list[tuple[str, list[Stage]]]:
    """What is timed, each with its title: every group, the mix, and last all of it."""
    shape: dict[str, Any] = {
        "channels": batch.shape[1],
        "side": batch.shape[-1],
        "seed": seed,
        "device": batch.device,
    }
    ops = [op for op in spec.ops if op.enabled]
    whole = Pipeline(spec, **shape)
    rows: list[tuple[str, list[Stage]]] = []
    for group in whole.groups:
        part = Pipeline(alone(spec, *(ops[i] for i in group)), **shape)
        rows.append((" + ".join(title(ops[i]) for i in group), [part]))
    if spec.mix is None:
        return [*rows, (WHOLE, [whole])]
    mixer = Mixer(spec.mix, **shape, strength=spec.strength)
    return [*rows, (mixer.entry.title, [mixer]), (WHOLE, [whole, mixer])]


def _time(stages: list[Stage], batch: Tensor, step: int) -> tuple[float, float]:
    """Seconds to draw for ``batch`` and to apply, one stage after the other."""
    drawing = applying = 0.0
    for stage in stages:
        began = time.perf_counter()
        draws: Any = stage.draw(len(batch), step)
        drawn = time.perf_counter()
        stage.apply(batch, draws)
        _wait_for(batch.device)
        drawing += drawn - began
        applying += time.perf_counter() - drawn
    return drawing, applying


def _wait_for(device: torch.device) -> None:
    """Until it has done what it was told: a GPU is told and goes on by itself."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
