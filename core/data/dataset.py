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
        groups: int64 (N,), of each image the index of the first that it is a copy of, its own if of none;
            copies belong on one side of a split. None: there are none.
        held_out: bool (N,), what is kept for validation, where the data come split. None: it is drawn.
    """

    images: Array
    labels: Array
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    groups: Array | None = None
    held_out: Array | None = None

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
        them. What decides a split is no longer there."""
        return Dataset(self.images[index], self.labels[index], self.classes, self.notes)  # type: ignore[arg-type]
