"""Steps that go through the network twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import Tensor

from core.export.script.parts.regularise import at_work, penalty

if TYPE_CHECKING:
    TWICE: list[str] = []
    optimiser: Any = None


def backward(loss: Tensor, again: Callable[[], Tensor], epochs_done: float) -> None:
    """The gradients of the loss, taken again where a regulariser wants them, and of what joins the loss."""
    optimiser.zero_grad(set_to_none=True)
    twice = [(each, now) for kind, each, now in at_work(epochs_done) if kind in TWICE]
    if not twice:
        (loss + penalty(epochs_done)).backward()
        return
    loss.backward()
    for each, now in twice:
        with each.uphill(now):
            optimiser.zero_grad(set_to_none=True)
            again().backward()
    if isinstance(added := penalty(epochs_done), Tensor):
        added.backward()
