"""What a transform is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from core.run.spec import RunSpec
from core.train.session import Session

LOOKED_AT = 512  # training images that a transform asks the network about


@dataclass(frozen=True, slots=True)
class Sources:
    """What a network is made of.

    Args:
        sessions: the trained networks, in evaluation mode, with their images; all on the same images.
        seed: of what is drawn.
        epochs: of further training that will follow.
        check: raises `StoppedError` if it is to end.
        specs: what they were trained by; a session knows only what it needs to be asked.
    """

    sessions: Sequence[Session]
    seed: int
    epochs: int
    check: Callable[[], None]
    specs: Sequence[RunSpec] = ()

    @property
    def first(self) -> Session:
        return self.sessions[0]


@dataclass(frozen=True, slots=True)
class Network:
    """What was made.

    Args:
        state: the weights to begin with; None: those that its spec draws.
        rows: what was done, as JSON values; each says in ``table`` of which table it is.
    """

    state: Mapping[str, Tensor] | None
    rows: list[dict[str, Any]] = field(default_factory=list)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Its weights, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def layer_rows(layers: Mapping[str, tuple[int, int]], what: Mapping[str, str]) -> list[dict[str, Any]]:
    """Of each layer how many units are kept, of how many."""
    return [
        {"table": "layers", "layer": name, "what": what.get(name, "units"), "kept": kept, "of": count}
        for name, (kept, count) in layers.items()
    ]


@torch.no_grad()
def some_images(session: Session) -> Tensor:
    """The first training images, normalised (N, C, S, S); the split has put them in a random order."""
    images = session.train.images[:LOOKED_AT].float().div_(255)
    return session.normalised(images)
