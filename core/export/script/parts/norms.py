"""Batch norm's statistics of averaged weights: those that it kept are of the weights that were trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from core.export.script.parts.judge import normalised
from core.export.script.parts.regularise import averaged

if TYPE_CHECKING:
    model = nn.Module()

    def batch(index: Tensor, step: int) -> Any: ...


NORM_BATCHES = 10


@contextmanager
def judged_weights(indices: list[Tensor], first_step: int) -> Iterator[None]:
    """Inside, the network is as it is judged: averaged, and batch norm's statistics taken anew over the first
    batches of the epoch, whose places are ``indices``."""
    with averaged() as is_averaged:
        norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        if not is_averaged:
            yield
            return
        before = [(buffer, buffer.clone()) for norm in norms for buffer in norm.buffers()]
        take_statistics(norms, indices, first_step)
        yield
        for buffer, value in before:
            buffer.copy_(value)


@torch.no_grad()
def take_statistics(norms: list[nn.BatchNorm2d], indices: list[Tensor], first_step: int) -> None:
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean
        norm.train()
    for i, index in enumerate(indices[:NORM_BATCHES]):
        model(normalised(batch(index, first_step + i)[0]))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
