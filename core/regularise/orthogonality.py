"""Soft orthogonality (Brock et al. 2016, arXiv 1609.07093; Bansal et al. 2018, arXiv 1810.09102)."""

from __future__ import annotations

import torch
from torch import Tensor

from core.regularise.regulariser import Regulariser


class Orthogonality(Regulariser):
    """``Σ ‖WWᵀ - I‖²`` over the layers, each weight a matrix of outputs × inputs (a filter's are its
    channels and pixels together). Of a matrix taller than wide the columns are taken, ``WᵀW``: more rows
    than dimensions can't all be at right angles.
    """

    def penalty(self) -> Tensor:
        return torch.stack([_from_orthogonal(weight.flatten(1)) for weight in self.weights]).sum()


def _from_orthogonal(matrix: Tensor) -> Tensor:
    """``‖WWᵀ - I‖²`` or, for a tall matrix, ``‖WᵀW - I‖²``."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    return (wide @ wide.T - torch.eye(len(wide), dtype=wide.dtype, device=wide.device)).square().sum()
