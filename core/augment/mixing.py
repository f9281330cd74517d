"""The mix of a spec: several images of a batch become one, and their labels with them.

It runs after the pipeline, and draws as the pipeline's operations do: what happens at step ``k``
follows from ``derive(seed, "augment", op, "mix", k)`` alone, so a mix changes no operation's draws.
The pixels are Kornia's, bit for bit; the weights of the labels are the shares counted from its draws.

MixUp, CutMix and PatchMix mix a whole batch with probability ``p``, as their papers do; Mosaic and
Transplantation decide for each image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from core.augment.check import needs_masks
from core.augment.draws import take_rows
from core.augment.entry import MixEntry
from core.augment.fast.pasting import FAST_MIXES
from core.augment.ops.mixes import MIXES
from core.augment.pipeline import built
from core.augment.strength import scaled
from core.catalogue import imported
from core.randomness import derive, private_draws
from core.run.errors import SpecError
from core.run.spec import MixSpec

_INDICES = ("mixup_pairs", "mix_pairs", "permutation")  # what Kornia draws that are places in the batch


@dataclass(frozen=True, slots=True)
class DrawnMix:
    """What the mix made one image of.

    Args:
        title: of the operation.
        fired: whether it ran on this image; it may have met the image itself, and left it as it was.
        parts: an image's index in the batch and its share, the image itself first, then what else is
            to be seen; the shares sum to 1. Empty for operations that need masks.
    """

    title: str
    fired: bool
    parts: tuple[tuple[int, float], ...]

    @property
    def weight(self) -> float:
        """λ: the share of the image's own."""
        return self.parts[0][1]

    def in_words(self, names: Sequence[str]) -> str:
        """``cat 0.70 + dog 0.30``, or just ``cat``, from the ``names`` of the batch's images."""
        shares: dict[str, float] = {}
        for source, share in self.parts:
            shares[names[source]] = shares.get(names[source], 0.0) + share
        shown = {name: share for name, share in shares.items() if share >= 0.005}  # 0.00 says nothing
        if len(shown) == 1:
            return next(iter(shown))
        return " + ".join(f"{name} {share:.2f}" for name, share in shown.items())


@dataclass(frozen=True, slots=True)
class MixDraws:
    """What was drawn for a batch of B images.

    Args:
        params: Kornia's own numbers.
        sources: (B, K), which images of the batch each is made of, itself first.
        shares: (B, K), float32, how much of it is of each; rows sum to 1.
    """

    entry: MixEntry
    step: int
    params: dict[str, Tensor]
    sources: Tensor
    shares: Tensor

    def fired(self, i: int) -> bool:
        """Whether the operation ran on image ``i``."""
        return bool(self.params["batch_prob"][i] > 0.5)

    def first(self, count: int) -> tuple[Tensor, MixDraws]:
        """`only` the first ``count`` results, or all if there are no more."""
        return self.only(torch.arange(min(count, len(self.sources))))

    def only(self, own: Tensor) -> tuple[Tensor, MixDraws]:
        """Which images (M,) of the batch the results ``own`` (K,) are made of, those themselves first, and
        the draws as for a batch of these alone: a `Mixer` makes the same of it, bit for bit, as far as its
        first K results go. The others mean nothing.

        Not for operations that need masks: what they move depends on the masks of the whole batch.
        """
        assert not self.entry.needs_masks, "what moves depends on the whole batch"
        others = self.sources[own].unique()
        rows = torch.cat([own, others[~torch.isin(others, own)]])
        places = torch.zeros(len(self.sources), dtype=torch.long)  # an image that is left out: any other
        places[rows] = torch.arange(len(rows))
        params = take_rows({name: _swapped(name, value) for name, value in self.params.items()}, rows)
        params = {
            name: _swapped(name, places[value] if name in _INDICES else value)
            for name, value in params.items()
        }
        return rows, MixDraws(self.entry, self.step, params, places[self.sources[rows]], self.shares[rows])

    def describe(self, i: int) -> DrawnMix:
        """What image ``i`` was made of."""
        if self.entry.needs_masks:
            return DrawnMix(self.entry.title, self.fired(i), ())
        parts = {i: 0.0}
        for source, share in zip(self.sources[i].tolist(), self.shares[i].tolist(), strict=True):
            if share > 0:
                parts[source] = parts.get(source, 0.0) + share
        return DrawnMix(self.entry.title, self.fired(i), tuple(parts.items()))


class Mixer:
    """A spec's mix, built. Kornia keeps state on its modules: one mixer for one thread at a time.

    Args:
        spec: completed by `core.augment.check`.
        channels: 1 or 3.
        side: of the square images, in pixels.
        seed: of the run.
        device: where the images are. Numbers are always drawn on the CPU.
        strength: of the whole pipeline; it scales the mix's ranges as it does the operations'.
    """

    def __init__(
        self,
        spec: MixSpec,
        *,
        channels: int,
        side: int,
        seed: int,
        device: torch.device | str = "cpu",
        strength: float = 1.0,
    ) -> None:
        assert spec.p is not None, "the spec is completed before it is built"
        self.entry, self.seed = MIXES[spec.op], seed
        self.image_shape, self.device = (channels, side, side), torch.device(device)
        self.module = built(self.entry, scaled(self.entry, spec.params, strength), spec.p, side)

    @torch.no_grad()
    def draw(self, batch_size: int, step: int) -> MixDraws:
        """What will become of a batch of ``batch_size`` images at ``step``."""
        with private_draws(derive(self.seed, "augment", self.entry.name, "mix", step)):
            params = self.module.forward_parameters(torch.Size((batch_size, *self.image_shape)))
        own = torch.arange(batch_size).unsqueeze(1)
        if not self.entry.shares:
            return MixDraws(self.entry, step, params, own, torch.ones(batch_size, 1))
        sources, shares = imported(self.entry.shares)(self.module, params, self.image_shape[-1])
        alone = F.one_hot(torch.zeros(batch_size, dtype=torch.long), sources.shape[1]).double()
        shares = torch.where(params["batch_prob"].unsqueeze(1) > 0.5, shares, alone)
        return MixDraws(self.entry, step, params, sources, shares.float())

    @torch.no_grad()
    def apply(self, images: Tensor, draws: MixDraws) -> Tensor:
        """``images``, float (B, C, S, S) in [0, 1], mixed: the same shape and range, and the same again
        for the same draws, bit for bit. ``images`` is not changed."""
        assert not self.entry.needs_masks, "that is what `apply_with_masks` is for"
        images = self._checked(images, draws)
        fast = FAST_MIXES.get(type(self.module))
        mixed = fast(images, draws.params) if fast else self.module(images, params=draws.params)
        return mixed.clamp(0, 1)  # λa + (1 − λ)b can round to 1.0000001

    @torch.no_grad()
    def apply_with_masks(self, images: Tensor, masks: Tensor, draws: MixDraws) -> tuple[Tensor, Tensor]:
        """``images`` and their ``masks`` (B, S, S), whole numbers that say what each pixel belongs to,
        after things moved from one image into the next.

        Which thing moves is drawn among those in the masks; the same masks and draws give the same again.
        """
        assert self.entry.needs_masks, "the others know nothing of masks"
        # Kornia adds what it draws here to the dictionary that it is given.
        with private_draws(derive(self.seed, "augment", self.entry.name, "mix", draws.step, "labels")):
            moved = self.module(self._checked(images, draws), masks, params=dict(draws.params))
        return moved[0], moved[1]

    def targets(self, labels: Tensor, num_classes: int, draws: MixDraws) -> Tensor:
        """The mixed labels: float (B, num_classes), each row summing to 1, from ``labels`` (B,).

        Raises:
            SpecError: the operation moves things between images, and no class is said to be theirs.
        """
        if self.entry.needs_masks:
            raise SpecError("augment.mix.op", needs_masks(self.entry))
        sources, shares = draws.sources.to(labels.device), draws.shares.to(labels.device)
        classes = F.one_hot(labels[sources], num_classes)  # (B, K, num_classes)
        return (classes * shares.unsqueeze(2)).sum(1)

    def _checked(self, images: Tensor, draws: MixDraws) -> Tensor:
        assert images.shape == (len(draws.sources), *self.image_shape), "drawn for another batch"
        assert images.device.type == self.device.type, "built for another device"
        return images


def _swapped(name: str, drawn: Tensor) -> Tensor:
    """CutMix's draws are (cuts, B, …): this puts the images first, or back in their place."""
    cuts = name == "crop_src" or (name == "mix_pairs" and drawn.dim() == 2)
    return drawn.transpose(0, 1) if cuts else drawn
