"""Does it lie? Whether an operation changes what the label should be: declared, and measured.

Declared is what the catalogue warns of. Measured is how often a trained network still gives the right
class once validation images it knows plain are augmented. A fall has one of two reasons, which only a
person can tell apart by looking at the images: either the label no longer fits the image, or the network
never learnt that such a change means nothing, which is what augmentation is for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.entry import OpEntry
from core.augment.one_operation import alone, title
from core.augment.ops.mixes import MIXES, MixEntry
from core.augment.pipeline import Pipeline
from core.catalogues import completed
from core.data.dataset import Dataset
from core.models.catalogue import ARCHITECTURES
from core.randomness import derive
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, DataSpec, OptimiserSpec, RunSpec
from core.store.store import StoredRun, run_folder
from core.train.session import Session, open_session

WEIGHTS = "weights.safetensors"
PLAIN, WHOLE = "Plain images", "The whole pipeline"
Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point
# `choose` draws once a batch: on many small batches one lucky draw decides little.
BATCH = 64


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
    """How many of ``images`` the network got right, and the mistakes it was surest of."""

    title: str
    right: int
    images: int
    mistakes: tuple[Mistake, ...]

    @property
    def share(self) -> float:
        return self.right / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """In which the share lies at 95 % confidence, had there been any number of such images."""
        return wilson(self.right, self.images)


def declared(spec: AugmentSpec) -> list[tuple[str, str]]:
    """Title and warning of each operation that is switched on, and of the mix, where the catalogue warns."""
    entries: list[OpEntry | MixEntry]
    entries = [OPERATIONS[op.op] for op in spec.ops if op.enabled]
    if spec.mix is not None:
        entries.append(MIXES[spec.mix.op])
    return list(dict.fromkeys((entry.title, entry.can_lie) for entry in entries if entry.can_lie))


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % score interval of a share. Wilson 1927, equation 4; Newcombe 1998, method 3."""
    squared = Z_95**2
    centre = right + squared / 2
    reach = Z_95 * math.sqrt(right * (total - right) / total + squared / 4)
    return max(0.0, (centre - reach) / (total + squared)), min(1.0, (centre + reach) / (total + squared))


def latest_run(runs: Iterable[StoredRun], dataset: DataSpec) -> StoredRun | None:
    """The first of ``runs``, the newest first, that finished on these images and left its weights.

    How many images it trained on and how many it kept may differ: it is measured on those it kept.
    """
    fitting = (
        run
        for run in runs
        if run.state == "finished"
        and _same_images(run.spec.data, dataset)
        and run.spec.model.arch in ARCHITECTURES  # an older run's may be gone
    )
    return next((run for run in fitting if (run_folder(run.id) / WEIGHTS).is_file()), None)


def open_trained(spec: RunSpec, folder: Path, device: str = "auto") -> Session:
    """A run's network with its weights and the very images it kept for validation.

    Raises:
        SpecError: the images are gone, or the weights can't be read or are of another network.
    """
    # It is only asked, never trained: no pipeline, no penalties, any optimiser, and no bfloat16, which
    # a CPU is slow at.
    asked = spec.train.model_copy(update={"device": device, "precision": "float32"})
    bare = {"augment": AugmentSpec(), "regularisers": (), "optimiser": OptimiserSpec(), "train": asked}
    session = open_session(completed(spec.model_copy(update=bare)))
    try:
        session.model.load_state_dict(load_file(folder / WEIGHTS, device=str(session.device)))
    except (OSError, SafetensorError, RuntimeError):
        raise SpecError("", "The run's weights can't be read; train once more on these images.") from None
    session.model.eval()
    return session


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
    trained: Session, spec: AugmentSpec, *, seed: int, num_images: int = 1000, num_mistakes: int = 4
) -> Iterator[Accuracy]:
    """The network's accuracy on plain validation images, then on the same images after each of `plan`.

    Args:
        trained: from `open_trained`.
        num_images: at most; every class is taken in proportion.
        num_mistakes: shown for each pipeline, at most.

    Raises:
        SpecError: an operation does not fit these images.
    """
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
        right, mistakes = _ask(trained, images, pipeline, known, num_mistakes)
        if name == PLAIN:
            known = right
        yield Accuracy(name, int(right.sum()), len(images), mistakes)


def stratified(labels: Tensor, limit: int) -> Tensor:
    """Places (M,) of at most ``limit`` images, evenly spaced through ``labels`` once these are sorted:
    each class keeps its share, give or take one image."""
    order = labels.argsort(stable=True)
    if len(order) <= limit:
        return order
    return order[torch.arange(limit, device=order.device) * len(order) // limit]


@torch.inference_mode()
def _ask(
    trained: Session, dataset: Dataset, pipeline: Pipeline, known: Tensor, num_mistakes: int
) -> tuple[Tensor, tuple[Mistake, ...]]:
    """Which images (N,) the network gets right, and its surest mistakes among those that are ``known``."""
    right = torch.zeros_like(known)
    mistakes: list[Mistake] = []
    for step, start in enumerate(range(0, len(dataset), BATCH)):
        rows = slice(start, start + BATCH)
        before, labels = dataset.images[rows], dataset.labels[rows]
        after = pipeline(before.float().div_(255), step)
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


def _same_images(a: DataSpec, b: DataSpec) -> bool:
    return (a.name, a.path, a.side, a.channels) == (b.name, b.path, b.side, b.channels)
