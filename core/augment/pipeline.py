"""The operations of a spec as one thing that takes a batch and gives it back augmented.

The same object makes the preview and the training batches. Its random numbers are counted, not run:
what operation ``op`` draws at step ``k`` follows from ``derive(seed, "augment", op, stream, k)`` and the
batch's size alone. (Of most operations the first images of a large batch are not drawn as a small batch is.)
So switching, moving, adding or removing an operation changes no other's draws, a step can be repeated
or skipped to, and a resumed run needs no saved generator.

Kornia 0.9 draws everything in `forward_parameters`; given those parameters, a call is a function of
its images. That holds for every entry of the catalogue (a test says so), so only drawing needs the
lock on torch's global generator, and applying runs outside it.

An operation is Kornia's own call, unless `fast` has a faster way to the same numbers, or `fuse` makes one
warp of it and its neighbours; `reuse` spares a preview what was drawn and computed before.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from kornia.augmentation import AugmentationBase2D
from torch import Tensor

from core.augment.catalogue import OPERATIONS
from core.augment.draws import Draws, OpDraws
from core.augment.entry import AugmentEntry, OpEntry
from core.augment.fast import fuse
from core.augment.fast.operations import FAST
from core.augment.reuse import NOTHING, Reuse
from core.augment.strength import scaled
from core.augment.warp_groups import warp_groups
from core.catalogue import imported
from core.randomness import derive, generator, private_draws
from core.run.spec import AugmentSpec, OpSpec


class _Op(NamedTuple):
    entry: OpEntry
    stream: int
    settings: str  # all that was chosen for it
    module: AugmentationBase2D


class Pipeline:
    """A spec's operations, built. Kornia keeps state on its modules: one pipeline for one thread at a time.

    Args:
        spec: completed by `core.augment.check`.
        channels: 1 or 3.
        side: of the square images, in pixels.
        seed: of the run.
        device: where the images are. Numbers are always drawn on the CPU, so that a run on an
            accelerator sees the same augmentations; the price is that noise travels there.

    Attributes:
        groups: the places, among the operations that are switched on, of those that are one warp:
            ``((0, 1, 2), (3,))`` says that the first three are fused.
    """

    def __init__(
        self,
        spec: AugmentSpec,
        *,
        channels: int,
        side: int,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.seed, self.choose = seed, spec.choose
        self.image_shape, self.device = (channels, side, side), torch.device(device)
        self.ops = [_build(op, spec.strength, side) for op in spec.ops if op.enabled]
        self.groups = warp_groups(spec)

    @torch.no_grad()
    def draw(self, batch_size: int, step: int, reuse: Reuse = NOTHING, rows: Tensor | None = None) -> Draws:
        """What every operation will do to a batch of ``batch_size`` images at ``step``.

        Args:
            reuse: where what was drawn before with the same settings is taken from.
            rows: keep only what was drawn for these images, as `Draws.take` does, and drop the rest of each
                operation's draws before the next one draws.
        """
        chosen, shape = self._choose(step), torch.Size((batch_size, *self.image_shape))
        drawn = []
        for i, op in enumerate(self.ops):
            key = (self.seed, step, shape, op.settings)
            params = reuse.find(key, partial(self._draw, op, shape, step)) if i in chosen else None
            whole = OpDraws(op.entry, params, key)
            drawn.append(whole if rows is None else whole.take(rows))
        return Draws(batch_size if rows is None else len(rows), tuple(drawn))

    # no_grad, not inference_mode: a network could not be trained on inference tensors.
    @torch.no_grad()
    def apply(
        self, images: Tensor, draws: Draws, reuse: Reuse = NOTHING, images_key: Hashable = None
    ) -> Tensor:
        """``images``, float (B, C, H, W) in [0, 1], after all operations: the same shape and range.

        Applying the same draws again gives the same images, bit for bit. ``images`` is not changed; it
        is returned as it is where there is nothing to do.

        Args:
            reuse: where to find, and keep, the images after each operation. Then what is returned may be
                returned again: it must not be changed in place.
            images_key: stands for the images' values in ``reuse``: other images, another key.
        """
        assert images.shape == (draws.batch_size, *self.image_shape), "drawn for another batch"
        assert images.device.type == self.device.type, "built for another device"
        key: Hashable = (images_key, images.device.type)
        for group in self.groups:
            images, key = self._run(group, images, draws, reuse, key)
        return images

    @torch.no_grad()
    def step_by_step(
        self, images: Tensor, draws: Draws, reuse: Reuse = NOTHING, images_key: Hashable = None
    ) -> list[Tensor]:
        """The images after each operation that is switched on, in turn; the last are `apply`'s.

        Inside a group that is fused, each is one warp of what went into the group, by the operations
        up to this one.
        """
        after = []
        key: Hashable = (images_key, images.device.type)
        for group in self.groups:
            for count in range(1, len(group) + 1):
                results, results_key = self._run(group[:count], images, draws, reuse, key)
                after.append(results)
            images, key = results, results_key
        return after

    def __call__(self, images: Tensor, step: int) -> Tensor:
        """Draw for ``step``, and apply."""
        return self.apply(images, self.draw(len(images), step))

    def _run(
        self, group: tuple[int, ...], images: Tensor, draws: Draws, reuse: Reuse, key: Hashable
    ) -> tuple[Tensor, Hashable]:
        """``images``, whose key in ``reuse`` is ``key``, after one group; and the key of the result."""
        ran = [(self.ops[i].module, d.params) for i in group if (d := draws.ops[i]).params is not None]
        if not ran:
            return images, key
        key = (key, *(draws.ops[i].key for i in group if draws.ops[i].params is not None))
        return reuse.find(key, partial(_apply, ran, images)), key

    def _draw(self, op: _Op, shape: torch.Size, step: int) -> dict[str, Tensor]:
        with private_draws(derive(self.seed, "augment", op.entry.name, op.stream, step)):
            return op.module.forward_parameters(shape)

    def _choose(self, step: int) -> set[int]:
        """Which operations run at ``step``, by their places: all, or ``choose`` of them."""
        if self.choose is None:
            return set(range(len(self.ops)))
        order = torch.randperm(
            len(self.ops), generator=generator(derive(self.seed, "augment", "choose", step))
        )
        return set(order[: self.choose].tolist())


def built(entry: AugmentEntry, params: Mapping[str, Any], p: float, side: int) -> Any:
    """The module of an operation or a mix, for completed ``params`` and square images of ``side`` pixels."""
    return imported(entry.makes)(**entry.call(params, p, side))


def _build(op: OpSpec, strength: float, side: int) -> _Op:
    assert op.p is not None and op.stream is not None, "the spec is completed before it is built"
    entry = OPERATIONS[op.op]
    params = scaled(entry, op.params, strength)
    settings = op.model_copy(update={"params": params}).model_dump_json()
    return _Op(entry, op.stream, settings, built(entry, params, op.p, side))


def _apply(parts: list[tuple[AugmentationBase2D, dict[str, Tensor]]], images: Tensor) -> Tensor:
    """``images`` after one operation, or after several in one warp; cut off at 0 and 1: noise leaves
    that range, and interpolation can by a rounding step (1.0000001)."""
    if len(parts) > 1:
        return fuse.apply(parts, images).clamp_(0, 1)
    ((module, params),) = parts
    fast = FAST.get(type(module))
    if fast is not None:
        return fast(module, images, params).clamp_(0, 1)
    after: Tensor = module(images, params=params)
    return after.clamp(0, 1)
