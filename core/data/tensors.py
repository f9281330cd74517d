"""Arrays as tensors: the one place where what was read becomes something to compute with."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from core.data.annotated import Annotated
from core.data.dataset import Dataset


@overload
def as_tensors(value: Dataset[Any], device: torch.device | str = "cpu") -> Dataset[Tensor]: ...
@overload
def as_tensors(value: Annotated[Any], device: torch.device | str = "cpu") -> Annotated[Tensor]: ...
def as_tensors(value: Dataset[Any] | Annotated[Any], device: torch.device | str = "cpu") -> Any:
    """``value`` with tensors on ``device`` where it has arrays or tensors.

    Nothing is copied that can be written to and is on the device already. Arrays that can't be written to,
    e.g. those of a file on disk, are copied: a tensor has no way of being read-only.
    """
    changed = {field.name: as_tensor(getattr(value, field.name), device) for field in fields(value)}
    return replace(value, **changed)


def as_tensor(value: Any, device: torch.device | str = "cpu") -> Any:
    """An array, a tensor or a tuple of such as tensors; anything else as it is."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value if value.flags.writeable else value.copy()).to(device)
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(as_tensor(item, device) for item in value)
    return value
