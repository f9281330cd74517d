"""Uniform quantisation: a row of numbers becomes whole numbers of few bits, a scale, and a zero point.

    q = clamp(round(w / s) + z, low, high),   w ≈ s · (q − z)

Rounding is to the nearest, halves to the even one. Symmetric: z = 0, q from −(2^(b−1) − 1) to 2^(b−1) − 1,
and s = max|w| / (2^(b−1) − 1). Otherwise q goes from 0 to 2^b − 1, s = (max − min) / (2^b − 1) where 0 counts
among the numbers, and z = round(−min / s). So 0 is 0 in both, and what was pruned stays so.

Jacob et al. 2018, arXiv 1712.05877, section 2.1; Krishnamoorthi 2018, arXiv 1806.08342, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

RANGE, BITS = "input_range", "input_bits"  # buffers of a layer whose inputs are quantised
FRACTIONS = tuple(0.2 + 0.05 * i for i in range(17))  # of the largest number, that may be the range's end
LOOKED_AT = 1_000_000  # numbers, to find a range for


class Grid(NamedTuple):
    """Rows on a grid: ``whole`` (rows, numbers), int32; ``scale``, ``zero`` (rows, 1)."""

    whole: Tensor
    scale: Tensor
    zero: Tensor

    @property
    def values(self) -> Tensor:
        """float32 (rows, numbers)."""
        return (self.whole.to(self.scale.dtype) - self.zero) * self.scale


def ends(bits: int, symmetric: bool) -> tuple[int, int]:
    """The smallest and the largest whole number."""
    most = 2 ** (bits - 1) - 1
    return (-most, most) if symmetric else (0, 2**bits - 1)


@torch.no_grad()
def to_grid(rows: Tensor, bits: int, *, symmetric: bool = True, fraction: float = 1.0) -> Grid:
    """Quantise each row by itself.

    Args:
        rows: (rows, numbers), float.
        bits: 2 to 8.
        fraction: of its largest and smallest number, where a row's range ends; what is beyond is clamped.
    """
    low, high = ends(bits, symmetric)
    if symmetric:
        span = rows.abs().amax(1, keepdim=True) * fraction
        scale = span / high
        zero = torch.zeros_like(scale)
    else:
        least = rows.amin(1, keepdim=True).clamp(max=0) * fraction
        span = rows.amax(1, keepdim=True).clamp(min=0) * fraction - least
        scale = span / (high - low)
        zero = (-least / scale.where(scale > 0, 1)).round()
    scale = scale.where(scale > 0, torch.ones_like(scale))  # a row of zeros
    whole = ((rows / scale).round() + zero).clamp(low, high)
    return Grid(whole.to(torch.int32), scale, zero)


@torch.no_grad()
def quantised(weight: Tensor, bits: int, *, by: str, symmetric: bool, ends_at: str = "largest") -> Tensor:
    """A weight (out, …) on its grid, with the same shape and layout.

    Args:
        by: ``channel``: a grid for each of the first dimension; ``tensor``: one for all.
        ends_at: ``largest``: a range ends at its largest number; ``nearest``: at whichever of `FRACTIONS` of
            it changes the row least, in squares.
    """
    rows = weight.reshape(len(weight), -1) if by == "channel" else weight.reshape(1, -1)
    values = to_grid(rows, bits, symmetric=symmetric).values
    if ends_at == "nearest":
        least = (values - rows).square().sum(1, keepdim=True)
        for fraction in FRACTIONS[:-1]:
            tried = to_grid(rows, bits, symmetric=symmetric, fraction=fraction).values
            error = (tried - rows).square().sum(1, keepdim=True)
            values = torch.where(error < least, tried, values)
            least = torch.minimum(error, least)
    found = torch.empty_like(weight)
    return found.copy_(values.view(weight.shape))


@torch.no_grad()
def range_of(numbers: Tensor, bits: int, ends_at: str = "largest") -> tuple[float, float]:
    """Where a grid for ``numbers`` goes from and to, 0 among them.

    Args:
        ends_at: ``largest``: at the least and the largest number; ``nearest``: at whichever of `FRACTIONS` of
            both changes the numbers least, in squares. It is found on `LOOKED_AT` of them, evenly spread.
    """
    low, high = numbers.amin().clamp(max=0), numbers.amax().clamp(min=0)
    if ends_at == "nearest":
        some = numbers.flatten()[:: max(1, numbers.numel() // LOOKED_AT)]
        steps = torch.tensor(2.0**bits - 1, device=numbers.device)
        tried = [_on_range(some, low * each, high * each, steps) for each in FRACTIONS]
        errors = [float((each - some).square().mean()) for each in tried]
        best = FRACTIONS[errors.index(min(errors))]
        low, high = low * best, high * best
    return float(low), float(high)


def quantise_inputs(module: nn.Module, lowest: float, highest: float, bits: int) -> None:
    """From now on what a layer hears is quantised first, on the grid of a range that holds 0. The range is a
    buffer of the layer's, so that it is saved with the weights; see `restore_inputs`."""
    _attach(module)
    module.get_buffer(RANGE).copy_(torch.tensor([min(lowest, 0.0), max(highest, 0.0)]))
    module.get_buffer(BITS).fill_(bits)


def restore_inputs(model: nn.Module, names: Iterable[str]) -> None:
    """Make those layers of a network quantise what they hear of which a file of weights has ranges.

    Args:
        names: of the tensors in the file.
    """
    modules = dict(model.named_modules())
    for name in names:
        owner, _, last = name.rpartition(".")
        if last == RANGE and owner in modules and not hasattr(modules[owner], RANGE):
            _attach(modules[owner])


def heard(module: nn.Module, numbers: Tensor) -> Tensor:
    """What a layer makes of ``numbers`` that it is handed, before anything else."""
    if not hasattr(module, RANGE):
        return numbers
    (found,) = _hear(module, (numbers,))
    return found


def _attach(module: nn.Module) -> None:
    if hasattr(module, RANGE):
        return
    device = next(module.parameters()).device
    module.register_buffer(RANGE, torch.zeros(2, device=device))
    module.register_buffer(BITS, torch.zeros((), dtype=torch.int64, device=device))
    module.register_forward_pre_hook(_hear)


def _hear(module: nn.Module, heard: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The gradient goes straight through within the range, and stops outside it."""
    first, *others = heard
    low, high = module.get_buffer(RANGE)
    return (_on_range(first, low, high, 2.0 ** module.get_buffer(BITS) - 1), *others)


def _on_range(numbers: Tensor, low: Tensor, high: Tensor, steps: Tensor) -> Tensor:
    """What numbers become on the grid of so many steps from ``low`` to ``high``."""
    scale = (high - low) / steps
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    inside = torch.clamp(numbers, low, high)
    zero = torch.round(-low / scale)
    whole = torch.clamp(torch.round(inside / scale) + zero, torch.zeros_like(steps), steps)
    return inside + ((whole - zero) * scale - inside).detach()
