"""What augmentation costs: microseconds an image, by operation, and beside a step of training.

Timed here and now, on the device and with whatever else it is doing: a median over rounds, each of which
times everything once, so that a busy moment falls on all alike. The first round, in which memory is
found and kernels are loaded, is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from core.augment.check import completed_augment
from core.augment.mixing import Mixer
from core.augment.one_operation import alone, title
from core.augment.pipeline import Pipeline
from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.photos import photos
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.inputs import checked_inputs
from core.run.spec import MAX_SIDE, AugmentSpec, Part, RunSpec
from core.train.session import epoch_order, open_session
from core.train.step import train_step

WHOLE = "The whole pipeline"
TRAINING = "The rest of a training step"
MOST_SECONDS = 30.0
MIN_ROUNDS = 3  # of fewer a median says little
SMALL = 64  # pixels; up to this side a whole batch is timed, as in training
BATCH, FEW = 128, 16  # images that are timed at once, small ones and large ones

Stage = Pipeline | Mixer  # both draw for a batch, and apply what was drawn


class Source(Part):
    """Which images are timed: the photographs at a side in pixels, or the first of the spec's dataset."""

    photos: Annotated[int, Field(ge=8, le=MAX_SIDE)] | None = None
    data: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Source:
        if (self.photos is None) == (self.data is None):
            raise ValueError("images are photos or data")
        return self


class Inputs(Part):
    images: Source
    device: Literal["auto", "cpu", "cuda"] = "auto"


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


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Time the pipeline of ``spec``, and a training step of its network without it, as a job.

    Its rows have ``part`` (``operation``, ``whole`` or ``training``), ``title``, ``draw``, ``apply`` and
    ``total`` in microseconds an image, and the ``device``.

    Raises:
        SpecError: the inputs are of no use, the spec can't be run, or an operation does not fit the images.
    """
    asked = checked_inputs(Inputs, inputs)
    images = _images(spec, asked.images)
    costs: Costs | None = None
    for costs in measure(spec.augment, images, seed=spec.seed_of("augment"), device=asked.device):
        yield {"event": "progress", "done": costs.done, "of": 2, "what": "Timing each operation"}
        if control.stop.is_set():
            yield state("stopped")
            return
    assert costs is not None
    for cost in costs.parts:
        yield _row("operation", cost, costs.device)
    yield _row("whole", costs.whole, costs.device)
    yield {"event": "progress", "done": 1, "of": 2, "what": "Timing a training step"}
    train = spec.train.model_copy(update={"device": asked.device}) if asked.device != "auto" else spec.train
    step = training_step(spec.model_copy(update={"train": train}), control=control)
    if step is None:
        yield state("stopped")
        return
    yield _row("training", Cost(TRAINING, 0.0, step), costs.device)
    yield state("finished")


def measure(
    spec: AugmentSpec, images: Tensor, *, seed: int, device: str = "auto", seconds: float = 0.3
) -> Iterator[Costs]:
    """Time ``spec`` on uint8 ``images`` (N, C, S, S), a batch of any size; after each round, what is known.

    It ends after `MIN_ROUNDS` or about ``seconds``, whichever is later.

    Raises:
        SpecError: an operation does not fit these images, or it takes too long: others wait for their turn.
    """
    spec = completed_augment(spec, images.shape[1])
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = images.to(device).float().div_(255)
    rows = _stages(spec, batch, seed)
    times: list[list[tuple[float, float]]] = [[] for _ in rows]
    opened = time.perf_counter()

    def timed(stages: list[Stage], number: int) -> tuple[float, float]:
        if time.perf_counter() - opened > MOST_SECONDS:
            raise SpecError(
                "augment", f"timing it took more than {MOST_SECONDS:.0f} s; try fewer operations."
            )
        return _time(stages, batch, number)

    for _, stages in rows:
        timed(stages, 0)
    began, rounds, done = time.perf_counter(), 0, 0.0
    while done < 1:
        rounds += 1
        for (_, stages), taken in zip(rows, times, strict=True):
            taken.append(timed(stages, rounds))
        done = min(rounds / MIN_ROUNDS, (time.perf_counter() - began) / seconds, 1.0)
        each = 1e6 / len(batch)
        *parts, whole = (
            Cost(name, *(each * median(part) for part in zip(*taken, strict=True)))
            for (name, _), taken in zip(rows, times, strict=True)
        )
        yield Costs(tuple(parts), whole, device, done)


def training_step(spec: RunSpec, *, seconds: float = 0.3, control: Control | None = None) -> float | None:
    """Microseconds an image of a step of training as ``spec`` says, without augmentation; None if it was
    stopped.

    Real steps on real images, of a network that is made for this and thrown away.

    Raises:
        SpecError: the spec can't be run.
    """
    control = control or Control()
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
        if control.stop.is_set():
            return None
        began = time.perf_counter()
        step(len(taken) % session.clock.num_steps)
        taken.append(time.perf_counter() - began)
    return 1e6 * median(taken) / len(index)


def _images(spec: RunSpec, source: Source) -> Tensor:
    """uint8 (N, C, S, S): a few images, repeated until they are a batch.

    Raises:
        SpecError: the dataset can't be read.
    """
    few = photos(source.photos)[0] if source.photos is not None else load_dataset(spec.data).images
    images = torch.tensor(np.asarray(few[:FEW]))
    size = FEW if images.shape[-1] > SMALL else BATCH
    return images[torch.arange(size) % len(images)]


def _row(part: str, cost: Cost, device: str) -> Event:
    return {"event": "row", "part": part, **asdict(cost), "total": cost.total, "device": device}


def _stages(spec: AugmentSpec, batch: Tensor, seed: int) -> list[tuple[str, list[Stage]]]:
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
