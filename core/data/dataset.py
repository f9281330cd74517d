"""Labelled images, whole, as tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images and what they show. Its tensors are shared and cached: nobody writes into them.

    Args:
        images: uint8 (N, C, H, W), C is 1 or 3, H = W.
        labels: int64 (N,), each an index into ``classes``.
        classes: the classes' names, in label order.
        notes: sentences a person should see, e.g. which files were skipped.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        return self.images.shape[1]

    @property
    def side(self) -> int:
        """Height and width, in pixels."""
        return self.images.shape[2]

    def __len__(self) -> int:
        return self.images.shape[0]

    def to(self, device: torch.device | str) -> Dataset:
        """The same images on another device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def take(self, index: Tensor | slice) -> Dataset:
        """The images that ``index``, int64 (M,) or a slice, names, in its order; the classes stay all of
        them."""
        return Dataset(self.images[index], self.labels[index], self.classes, self.notes)
