"""What of a network may change while it trains."""

from __future__ import annotations

from torch import nn

from core.models.attention import DropPath

SHARES = (nn.Dropout, nn.Dropout2d, DropPath)


def take_dropouts(model: nn.Module, other: nn.Module) -> None:
    """From now on ``model`` drops the shares that ``other`` does, which has the same layers."""
    theirs = dict(other.named_modules())
    for name, module in model.named_modules():
        if isinstance(module, SHARES):
            module.p = theirs[name].p
