"""CutMix whose sizes are drawn within their range."""

from __future__ import annotations

from typing import Any

import kornia.augmentation as K
import torch
from kornia.augmentation.random_generator import CutmixGenerator
from torch.distributions import AffineTransform, TransformedDistribution


class CutMix(K.RandomCutMixV2):
    """Kornia's, but for the sizes: what is left of an image by one cut is low + (high − low)·Beta(β, β).
    Kornia draws Beta(β, β) and puts what is beyond the range on its ends: with β = 1 and (0.4, 0.95), 40 % of
    all cuts are the largest.

    Args:
        cut_size: low and high, in 0 to 1, low below 1.
        options: as Kornia's.
    """

    def __init__(self, cut_size: tuple[float, float], **options: Any) -> None:
        super().__init__(cut_size=cut_size, **options)
        given = self._param_generator
        self._param_generator = _WithinRange(given.cut_size, given.beta, given.num_mix, given.p)


class _WithinRange(CutmixGenerator):
    def make_samplers(self, device: torch.device, dtype: torch.dtype) -> None:
        super().make_samplers(device, dtype)
        low, high = self._cut_size
        self.beta_sampler: Any = TransformedDistribution(self.beta_sampler, AffineTransform(low, high - low))
