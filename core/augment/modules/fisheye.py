"""Kornia's fisheye, which wants its ranges as tensors."""

from __future__ import annotations

import kornia.augmentation as K
import torch

Ends = tuple[float, float]


class Fisheye(K.RandomFisheye):
    """Kornia's, from pairs of numbers."""

    def __init__(self, center_x: Ends, center_y: Ends, gamma: Ends, p: float) -> None:
        super().__init__(torch.tensor(center_x), torch.tensor(center_y), torch.tensor(gamma), p=p)
