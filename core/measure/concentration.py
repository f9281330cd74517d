"""How unevenly a set of weights is spread: Hoyer, Gini and effective rank.

All three are free of scale: twice the weights give the same figure, which counts of small weights do not.

- Hoyer 2004, "Non-negative matrix factorization with sparseness constraints", section 3.1.
- Hurley & Rickard 2009, "Comparing measures of sparsity", arXiv 0811.4706, table I and theorem III.1.
- Roy & Vetterli 2007, "The effective rank: a measure of effective dimensionality", definition 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Magnitudes = np.ndarray[tuple[int], np.dtype[np.float32]]


class Moments(NamedTuple):
    """What Hoyer's measure needs of some weights; the moments of several parts add up."""

    number: int
    absolute: float  # Σ|w|
    squares: float  # Σw²


def moments(parts: Sequence[Tensor]) -> Moments:
    """The moments of all weights in ``parts``, summed in double precision."""
    sums = torch.stack([_sums(part.detach().flatten().abs().double()) for part in parts]).sum(0)
    absolute, squares = sums.tolist()
    return Moments(sum(part.numel() for part in parts), absolute, squares)


def _sums(magnitudes: Tensor) -> Tensor:
    return torch.stack([magnitudes.sum(), magnitudes.dot(magnitudes)])


def hoyer(weights: Moments) -> float:
    """``(√n − ‖w‖₁/‖w‖₂) / (√n − 1)``: 0 if all n weights are equally large, 1 if only one is not zero.

    No weight but zeros: 1, as sparse as can be. A single weight that is not zero: 0.
    """
    if weights.squares == 0:
        return 1.0
    if weights.number == 1:
        return 0.0
    root = math.sqrt(weights.number)
    share = (root - weights.absolute / math.sqrt(weights.squares)) / (root - 1)
    return min(max(share, 0.0), 1.0)  # rounding may leave [0, 1] by 1e-16


def magnitudes(parts: Iterable[Tensor]) -> Magnitudes:
    """All ``|w|`` of ``parts``, rising. NumPy sorts three times as fast as torch does on a CPU."""
    flat = torch.cat([part.detach().flatten() for part in parts]).abs().float()
    return np.sort(flat.cpu().numpy()) if flat.device.type == "cpu" else flat.sort().values.cpu().numpy()


def gini(rising: Magnitudes) -> float:
    """``1 − 2 Σₖ |w|₍ₖ₎/‖w‖₁ · (n − k + ½)/n`` over the rising magnitudes, k from 1 (eq. 6).

    0 if all n weights are equally large, 1 − 1/n if only one is not zero. No weight but zeros: 1.
    """
    rising64 = rising.astype(np.float64)
    if (total := float(rising64.sum())) == 0:
        return 1.0
    n = len(rising64)
    share = 1 - 2 * float((rising64 * np.arange(n - 0.5, 0, -1)).sum()) / (total * n)
    return max(share, 0.0)


def effective_ranks(matrices: Sequence[Tensor]) -> float:
    """Those of several matrices, added up."""
    return sum(effective_rank(matrix) for matrix in matrices)


def effective_rank(matrix: Tensor) -> float:
    """``exp(−Σ pᵢ ln pᵢ)`` with ``pᵢ = σᵢ/Σσ``: n for n equal singular values, 1 for a single one.

    Filters (out, in, …) are the matrix (out, rest). Zeros alone: 0.

    The singular values come from the eigenvalues of the smaller Gram matrix in double precision: three
    times as fast as from the matrix (docs/LOG.md). Squaring loses values under about 1e-7 of the largest,
    which add nothing that shows to the entropy.
    """
    rows = matrix.detach().flatten(1).double()
    gram = rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows
    squares = torch.linalg.eigvalsh(gram).cpu()
    floor = squares[-1] * len(squares) * torch.finfo(torch.float64).eps  # beneath it all is rounding
    values = squares[squares > floor].sqrt()
    if len(values) == 0:
        return 0.0
    shares = values / values.sum()
    return math.exp(-float((shares * shares.log()).sum()))
