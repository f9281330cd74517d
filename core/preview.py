"""Images through the very pipeline that training uses, for looking at."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from core import augment, data
from core.engine import epoch_order
from core.randomness import derive
from core.spec import AugmentSpec, RunSpec


@dataclass(frozen=True, slots=True)
class Preview:
    """Results, uint8 (N, C, S, S) on the CPU, what was drawn for each, and what it took."""

    results: Tensor
    drawn: tuple[tuple[augment.DrawnOp, ...], ...]
    seconds: float
    device: str


def preview(spec: AugmentSpec, images: Tensor, *, seed: int, step: int, device: str = "auto") -> Preview:
    """Augment uint8 ``images`` (N, C, S, S) as step ``step`` of a run with this ``seed`` would.

    Raises:
        SpecError: an operation is unknown, out of bounds, or needs colour and the images are grey.
    """
    spec = augment.check(spec, images.shape[1])
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    pipeline = augment.Pipeline(
        spec, channels=images.shape[1], side=images.shape[-1], seed=seed, device=device
    )
    began = time.perf_counter()
    draws = pipeline.draw(len(images), step)
    augmented = pipeline.apply(images.to(device).float().div_(255), draws)
    results = augmented.mul(255).round_().to(torch.uint8).cpu()  # waits for the device
    seconds = time.perf_counter() - began
    drawn = tuple(tuple(draws.describe(i)) for i in range(len(images)))
    return Preview(results, drawn, seconds, device)


def first_batch(spec: RunSpec, dataset: data.Dataset, count: int) -> tuple[Tensor, tuple[str, ...]]:
    """The first ``count`` images (uint8) and class names of the batch that step 1 of a run trains on.

    Args:
        spec: completed; ``dataset`` is what its data part loads.
    """
    train = data.split(dataset, spec.data, derive(spec.seed, "split")).train
    index = epoch_order(spec, len(train.labels), 1)[: spec.train.batch_size]
    names = tuple(train.classes[label] for label in train.labels[index[:count]].tolist())
    # All of the batch is drawn for, as in training: what one image gets depends on the batch's size.
    results = preview(spec.augment, train.images[index], seed=spec.seed, step=0, device="cpu").results
    return results[:count], names
