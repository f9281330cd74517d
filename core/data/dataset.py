"""Labelled images, whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

Array = TypeVar("Array", bound="NDArray[Any] | torch.Tensor")


@dataclass(frozen=True, slots=True)
class Dataset(Generic[Array]):
    """Images and what they show. What is loaded holds NumPy arrays, shared and read-only;
    `core.data.tensors.as_tensors` and the split make tensors of them.

    Args:
        images: uint8 (N, C, H, W), C is 1 or 3, H = W.
        labels: int64 (N,), each an index into ``classes``.
        classes: the classes' names, in label order.
        notes: sentences a person should see, e.g. which files were skipped.
    """

    images: Array
    labels: Array
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

    def take(self, index: NDArray[np.int64] | torch.Tensor | slice) -> Dataset[Array]:
        """The images that ``index``, int64 (M,) or a slice, names, in its order; the classes stay all of
        them."""
        return Dataset(self.images[index], self.labels[index], self.classes, self.notes)  # type: ignore[arg-type]
