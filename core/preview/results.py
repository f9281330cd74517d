"""Images through the very pipeline that training uses, for looking at."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.augment.check import completed_augment
from core.augment.draws import DrawnOp
from core.augment.mixing import DrawnMix, Mixer
from core.augment.pipeline import Pipeline
from core.augment.reuse import NOTHING, Reuse
from core.data.dataset import Dataset
from core.data.split import split_dataset, split_seed
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, RunSpec
from core.train.session import epoch_order

_REUSE = Reuse(128 * 2**20)  # about four moves of a dial on 16 images of 224 pixels
_MOST_DRAWN = 256 * 2**20  # bytes that drawing for a first batch may take
_AT_ONCE = 2**20  # numbers in the images that go through the operations together


class TooLargeError(SpecError):
    """A first batch that takes too much memory, or time, to draw for it only to be looked at."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Results, uint8 (N, C, S, S) on the CPU, what was drawn for each, and what it took.

    ``mixed`` says of each result which images it was made of; empty where nothing is mixed.
    """

    results: Tensor
    drawn: tuple[tuple[DrawnOp, ...], ...]
    mixed: tuple[DrawnMix, ...]
    seconds: float
    device: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One image after one operation: uint8 (C, S, S)."""

    image: Tensor
    drawn: DrawnOp


def preview(
    spec: AugmentSpec,
    images: Tensor,
    *,
    seed: int,
    step: int,
    device: str = "auto",
    images_key: Hashable = None,
) -> Preview:
    """Augment uint8 ``images`` (N, C, S, S) as step ``step`` of a run with this ``seed`` would.

    Args:
        images_key: names the images, for as long as these are looked at: what an edit of the pipeline
            leaves as it was is then not computed again. None: it is.

    Raises:
        SpecError: an operation is unknown, out of bounds, or needs colour and the images are grey.
    """
    spec = completed_augment(spec, images.shape[1])
    return _preview(spec, images, seed, step, _device(device), images_key)


def stages(
    spec: AugmentSpec, images: Tensor, *, seed: int, step: int, image: int, images_key: Hashable = None
) -> list[Stage]:
    """What `preview` shows of image number ``image``, after each operation in turn and before mixing.

    Raises:
        SpecError: as `preview`.
    """
    spec = completed_augment(spec, images.shape[1])
    return _stages(spec, images, seed, step, image, images_key)


def first_batch(spec: RunSpec, dataset: Dataset, count: int) -> tuple[Tensor, tuple[str, ...]]:
    """The first ``count`` images (uint8) of the batch that step 1 of a run trains on, and what each is:
    its class, or the classes that were mixed.

    Args:
        spec: completed; ``dataset`` is what its data part loads.

    Raises:
        TooLargeError: the operations draw too many numbers for a batch of this size.
        SpecError: as `preview`.
    """
    train = split_dataset(dataset, spec.data, split_seed(spec)).train
    index = epoch_order(spec, len(train.labels), 1)[: spec.train.batch_size]
    names = [train.classes[label] for label in train.labels[index].tolist()]
    chosen = completed_augment(spec.augment, train.images.shape[1])
    results, mixed = _first_results(chosen, train.images, index, spec.seed_of("augment"), count)
    if mixed:
        names = [each.in_words(names) for each in mixed]
    return results, tuple(names[:count])


def _device(asked: str) -> str:
    return ("cuda" if torch.cuda.is_available() else "cpu") if asked == "auto" else asked


def _preview(
    spec: AugmentSpec, images: Tensor, seed: int, step: int, device: str, images_key: Hashable
) -> Preview:
    shape = {"channels": images.shape[1], "side": images.shape[-1]}
    began = time.perf_counter()
    pipeline = Pipeline(spec, **shape, seed=seed, device=device)
    reuse = _REUSE if images_key is not None else NOTHING
    draws = pipeline.draw(len(images), step, reuse)
    augmented = pipeline.apply(images.to(device).float().div_(255), draws, reuse, images_key)
    mixed: tuple[DrawnMix, ...] = ()
    if spec.mix:
        mixer = Mixer(spec.mix, **shape, seed=seed, device=device, strength=spec.strength)
        mix_draws = mixer.draw(len(images), step)
        augmented = mixer.apply(augmented, mix_draws)
        mixed = tuple(mix_draws.describe(i) for i in range(len(images)))
    results = _as_bytes(augmented)  # waits for the device
    seconds = time.perf_counter() - began
    drawn = tuple(tuple(draws.describe(i)) for i in range(len(images)))
    return Preview(results, drawn, mixed, seconds, device)


def _first_results(
    spec: AugmentSpec, images: Tensor, index: Tensor, seed: int, count: int
) -> tuple[Tensor, list[DrawnMix]]:
    """The first ``count`` results (uint8) of the batch ``images[index]`` at step 0, and what was mixed.

    All of the batch is drawn for, as in training: what one image gets depends on the batch's size. Only
    the images that can be seen in the results are augmented.
    """
    batch_size = len(index)
    channels, side = images.shape[1], images.shape[-1]
    pipeline = Pipeline(spec, channels=channels, side=side, seed=seed)
    _refuse_too_large(pipeline, batch_size)
    seen = min(max(2, count), batch_size)  # two at least: see `Draws.take`
    rows, mixer = torch.arange(seen), None
    mixed: list[DrawnMix] = []
    if spec.mix:
        mixer = Mixer(spec.mix, channels=channels, side=side, seed=seed, strength=spec.strength)
        mix_draws = mixer.draw(batch_size, 0)
        mixed = [mix_draws.describe(i) for i in range(seen)]
        rows, mix_draws = mix_draws.first(seen)
    draws = pipeline.draw(batch_size, 0, rows=rows)
    augmented = []
    for part in torch.arange(len(rows)).split(max(2, _AT_ONCE // images[0].numel())):
        few = torch.cat([part, part - 1]) if len(part) == 1 < batch_size else part
        after = pipeline.apply(images[index[rows[few]]].float().div_(255), draws.take(few))
        augmented.append(after[: len(part)])
    results = torch.cat(augmented)
    return _as_bytes((mixer.apply(results, mix_draws) if mixer else results)[:count]), mixed[:count]


def _refuse_too_large(pipeline: Pipeline, batch_size: int) -> None:
    """Raise if drawing at step 0 takes too much; what one image takes says so."""
    ops = pipeline.draw(1, 0).ops
    each = sum(op.working_bytes for op in ops)
    if batch_size * each > _MOST_DRAWN:
        side, most = pipeline.image_shape[1], _MOST_DRAWN // each
        title = max(ops, key=lambda op: op.working_bytes).entry.title
        raise TooLargeError(
            "train.batch_size",
            f"A first batch of {batch_size:,} images of {side}×{side} px with {title} is too large to "
            f"preview; training draws it on the fly. {_what_shows(most)} here.",
        )


def _what_shows(most: int) -> str:
    return f"A batch of up to {most:,} shows" if most else "Fewer such operations show"


def _stages(
    spec: AugmentSpec, images: Tensor, seed: int, step: int, image: int, images_key: Hashable
) -> list[Stage]:
    pipeline = Pipeline(spec, channels=images.shape[1], side=images.shape[-1], seed=seed)
    reuse = _REUSE if images_key is not None else NOTHING
    draws = pipeline.draw(len(images), step, reuse)
    drawn = draws.describe(image)
    after = pipeline.step_by_step(images.float().div_(255), draws, reuse, images_key)
    return [Stage(_as_bytes(images[image]), drawn[i]) for i, images in enumerate(after)]


def _as_bytes(images: Tensor) -> Tensor:
    """Floats in [0, 1] as uint8 on the CPU."""
    return images.mul(255).round_().to(torch.uint8).cpu()
