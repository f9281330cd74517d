"""Does it lie? Whether an operation changes what the label should be, measured with a trained network.

Measured is how often the network still gives the right class once validation images it knows plain are
augmented. A fall has one of two reasons, which only a person can tell apart by looking at the images: either
the label no longer fits the image, or the network never learnt that such a change means nothing, which is
what augmentation is for. What the catalogue declares is in `core.probe.label_warnings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from core.augment.check import completed_augment
from core.augment.one_operation import alone, title
from core.augment.pipeline import Pipeline
from core.data.dataset import Dataset
from core.pictures import encode_images
from core.probe.trained_run import WEIGHTS
from core.randomness import derive
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.inputs import checked_inputs
from core.run.spec import AugmentSpec, Part, RunSpec
from core.store.folders import here
from core.train.session import Session
from core.train.teachers import open_network

PLAIN, WHOLE = "Plain images", "The whole pipeline"
BATCH = 64
NUM_IMAGES, NUM_MISTAKES = 1000, 4
MAX_PICTURES = 160_000  # characters of a row's pictures: an event is at most 256 kB


class Inputs(Part):
    """The run whose network is asked, the pipeline, and the seed of its draws."""

    weights_of: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    augment: AugmentSpec
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


@dataclass(frozen=True, slots=True)
class Mistake:
    """An image that the network knew plain and mistook augmented.

    Args:
        before, after: uint8 (C, S, S) on the CPU.
        label, answer: the true class and the network's, by name.
        confidence: the probability that it gave its answer, from 0 to 1.
    """

    before: Tensor
    after: Tensor
    label: str
    answer: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many of ``images`` the network got right, how many of them it ``lost`` and ``won`` against the
    plain ones, and the mistakes it was surest of."""

    title: str
    right: int
    images: int
    lost: int
    won: int
    mistakes: tuple[Mistake, ...]

    @property
    def share(self) -> float:
        return self.right / self.images


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Ask the network of a run that has finished, as a job.

    Its rows have the pipeline's ``title``, how many were ``right`` of how many ``images``, the share's 95 %
    interval from ``low`` to ``high``, how many of the same images were ``lost`` and ``won`` against the plain
    ones, and ``mistakes``: ``before`` and ``after`` as data URIs, ``label``, ``answer`` and ``confidence``.

    Args:
        spec: the run's.

    Raises:
        SpecError: the inputs are of no use, the weights or the images can't be read, or an operation does not
            fit the images.
    """
    asked = checked_inputs(Inputs, inputs)
    yield {"event": "progress", "done": 0, "of": 1, "what": "Opening the network"}
    trained = open_trained(spec, here(asked.weights_of))
    augment = completed_augment(asked.augment, trained.validation.channels)
    total = len(plan(augment))
    for i, found in enumerate(measured(trained, augment, seed=asked.seed, control=control), start=1):
        yield _row(found)
        yield {"event": "progress", "done": i, "of": total, "what": found.title}
    yield state("stopped" if control.stop.is_set() else "finished")


def open_trained(spec: RunSpec, folder: Path, device: str = "auto") -> Session:
    """A run's network with its weights and the very images it kept for validation.

    Raises:
        SpecError: the images are gone; the weights can't be read, are of another network, or are no numbers.
    """
    session = open_network(spec, folder / WEIGHTS, device)
    _check_numbers(session.model)
    return session


def _check_numbers(model: nn.Module) -> None:
    """Whoever asks a network whose weights are NaN would be told its first class, with any image."""
    values = [each for each in model.state_dict().values() if each.is_floating_point()]
    lost = sum(int((~each.isfinite()).sum()) for each in values)
    if lost:
        of = sum(each.numel() for each in values)
        raise SpecError(
            "",
            f"{lost:,} of the {of:,} numbers of its network are NaN or infinite: training diverged, and the "
            "network can say nothing of an image. Train again with a smaller learning rate.",
        )


def plan(spec: AugmentSpec) -> list[tuple[str, AugmentSpec]]:
    """What `measured` will measure, in order: a title and a pipeline each; the first does nothing.

    Each operation that is switched on comes alone and on every image, at its own settings and the
    pipeline's strength; last the pipeline as it is set, without mixing, after which no one label is right.
    """
    ops = tuple(op for op in spec.ops if op.enabled)
    rows = [(title(op), alone(spec, op.model_copy(update={"p": 1.0}))) for op in ops]
    whole = spec.model_copy(update={"ops": ops, "mix": None})
    if ops and [whole] != [row for _, row in rows]:
        rows.append((WHOLE, whole))
    return [(PLAIN, AugmentSpec()), *rows]


def measured(
    trained: Session,
    spec: AugmentSpec,
    *,
    seed: int,
    num_images: int = NUM_IMAGES,
    num_mistakes: int = NUM_MISTAKES,
    control: Control | None = None,
) -> Iterator[Accuracy]:
    """The network's accuracy on plain validation images, then on the same images after each of `plan`.

    Where a pipeline chooses among its operations it chooses for each image here, and not once a batch: the
    images are then so many draws, and an interval that counts them as such is right.

    Args:
        trained: from `open_trained`.
        num_images: at most; every class is taken in proportion, in an order drawn once for all.
        num_mistakes: shown for each pipeline, at most.
        control: how to stop it; looked at once a batch.

    Raises:
        SpecError: an operation does not fit these images.
    """
    control = control or Control()
    spec = completed_augment(spec, trained.validation.channels)
    images = trained.validation.take(stratified(trained.validation.labels, num_images))
    known = torch.zeros(len(images), dtype=torch.bool, device=trained.device)  # none yet
    for name, row in plan(spec):
        pipeline = Pipeline(
            row,
            channels=images.channels,
            side=images.side,
            seed=derive(seed, "lies"),
            device=trained.device,
        )
        right, mistakes = _ask(trained, images, pipeline, known, num_mistakes, control)
        if control.stop.is_set():
            return
        if name == PLAIN:
            known = right
        lost, won = int((known & ~right).sum()), int((right & ~known).sum())
        yield Accuracy(name, int(right.sum()), len(images), lost, won, mistakes)


def stratified(labels: Tensor, limit: int) -> Tensor:
    """Places (M,) of at most ``limit`` images, evenly spaced through ``labels`` once these are sorted, and
    then shuffled, always alike: each class keeps its share, give or take one image."""
    order = labels.argsort(stable=True)
    count = min(limit, len(order))
    even = order[torch.arange(count, device=order.device) * len(order) // count]
    return even[torch.randperm(count, generator=torch.Generator().manual_seed(0)).to(order.device)]


@torch.inference_mode()
def _ask(
    trained: Session,
    dataset: Dataset,
    pipeline: Pipeline,
    known: Tensor,
    num_mistakes: int,
    control: Control,
) -> tuple[Tensor, tuple[Mistake, ...]]:
    """Which images (N,) the network gets right, and its surest mistakes among those that are ``known``; not
    all of them, if it was stopped."""
    right = torch.zeros_like(known)
    mistakes: list[Mistake] = []
    for step, start in enumerate(range(0, len(dataset), BATCH)):
        if control.stop.is_set():
            break
        rows = slice(start, start + BATCH)
        before, labels = dataset.images[rows], dataset.labels[rows]
        after = _augmented(pipeline, before.float().div_(255), step)
        confidence, answer = trained.model(trained.normalised(after)).softmax(1).max(1)
        right[rows] = answer == labels
        wrong = (known[rows] & ~right[rows]).nonzero().flatten()
        surest = wrong[confidence[wrong].argsort(descending=True)][:num_mistakes]
        mistakes += [
            Mistake(
                before=before[i].cpu(),
                after=after[i].mul(255).round().to(torch.uint8).cpu(),
                label=dataset.classes[int(labels[i])],
                answer=dataset.classes[int(answer[i])],
                confidence=float(confidence[i]),
            )
            for i in surest.tolist()
        ]
    mistakes.sort(key=lambda mistake: -mistake.confidence)
    return right, tuple(mistakes[:num_mistakes])


def _augmented(pipeline: Pipeline, images: Tensor, step: int) -> Tensor:
    """``images`` of batch ``step``; where the pipeline chooses, each with a choice of its own."""
    if pipeline.choose is None:
        return pipeline(images, step)
    first = step * BATCH
    return torch.cat([pipeline(image[None], first + i) for i, image in enumerate(images)])


def _row(found: Accuracy) -> Event:
    from scipy.stats import binomtest  # its import takes a second

    interval = binomtest(found.right, found.images).proportion_ci(method="wilson")
    return {
        "event": "row",
        "title": found.title,
        "right": found.right,
        "images": found.images,
        "low": float(interval.low),
        "high": float(interval.high),
        "lost": found.lost,
        "won": found.won,
        "mistakes": _pictured(found.mistakes),
    }


def _pictured(mistakes: Sequence[Mistake]) -> list[dict[str, Any]]:
    """The mistakes as JSON, the surest first, as many as an event has room for."""
    if not mistakes:
        return []
    before = encode_images(torch.stack([mistake.before for mistake in mistakes]))
    after = encode_images(torch.stack([mistake.after for mistake in mistakes]))
    shown: list[dict[str, Any]] = []
    room = MAX_PICTURES
    for mistake, was, now in zip(mistakes, before, after, strict=True):
        room -= len(was) + len(now)
        if room < 0:
            break
        shown.append(
            {
                "before": was,
                "after": now,
                "label": mistake.label,
                "answer": mistake.answer,
                "confidence": mistake.confidence,
            }
        )
    return shown
