"""What a regulariser is to the training loop: a few moments at which it may act, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from core.layers.weights import regularised_weights


class Regulariser:
    """One regulariser on one model. A kind overrides the moments at which it acts.

    In each step, in this order: `begin_step`; the forward pass; `aim`; `penalty` times the strength joins the
    loss (solver ``penalty`` only); the backward pass, for some kinds a second one `uphill`; `before_step`;
    the optimiser's own step; `proximal_step` (solver ``proximal`` only); `after_step`. While the strength is
    0 all are left out; a kind that has none is given 1.0.

    Args:
        model: whose weights; a kind that needs structure of its own finds it here.
        params: the spec's, completed from the catalogue.
    """

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        self.weights: list[Tensor] = [w for layer in regularised_weights(model).values() for w in layer]
        self.params = params

    def own_parameters(self) -> Iterable[nn.Parameter]:
        """Parameters of its own, beside the model's, that the optimiser trains too (and never decays)."""
        return ()

    def begin_step(self, seed: int, step: int) -> None:
        """Before the forward pass of step ``step``, from 0; random draws derive from the run's ``seed``."""

    def penalty(self) -> Tensor:
        """The penalty at strength 1: one number, differentiable."""
        raise NotImplementedError

    def label_smoothing(self, strength: float) -> float:
        """The share of each label to spread evenly over all classes."""
        return 0.0

    def aim(self, loss: Tensor, logits: Tensor, images: Tensor) -> Tensor:
        """What is minimised in place of the batch's own ``loss``; itself if the kind has nothing to say.

        Args:
            images: (B, C, S, S) in [0, 1], that the ``logits`` were given for.
        """
        return loss

    @contextmanager
    def uphill(self, strength: float) -> Iterator[None]:
        """Inside, the weights are elsewhere, where the loss's gradient is taken anew; when it is entered they
        have that of the first pass. For kinds whose entry has 2 ``passes``."""
        yield

    def before_step(self, optimiser: Optimizer, strength: float) -> None:
        """After the gradients are there, before the optimiser moves the weights."""

    def followed(self) -> float:
        """Of the loss's own gradient, the share in [0, 1] that the optimiser's step has followed."""
        return 1.0

    def curvature(self, strength: float) -> float:
        """The factor of ``½‖w‖²`` in the penalty at ``strength``: what makes its proximal operator divide."""
        return 0.0

    def proximal_step(self, optimiser: Optimizer, strength: float, curvature: float = 0.0) -> None:
        """After the optimiser has moved the weights: the penalty's proximal operator, in place.

        Args:
            curvature: the sum of `curvature` over the regularisers that have acted before in this step.
        """

    def after_step(self, optimiser: Optimizer, strength: float) -> None:
        """When this step's weights are as the optimiser and the proximal steps want them."""

    def epoch_trained(self, share: float) -> None:
        """After an epoch's last step, before it is evaluated: ``share`` of all epochs, in (0, 1], is done."""

    def acted(self) -> float | None:
        """Of the steps of the epoch that ends, the share in which it changed something; None: it is not
        counted. Asked once an epoch."""
        return None

    def after_epoch(self, event: Mapping[str, Any]) -> str:
        """After an ``epoch`` event: a sentence that says why to stop training here, or ``""`` to go on."""
        return ""

    def chosen_epoch(self) -> int | None:
        """The epoch whose network is to be kept; None: the last."""
        return None

    def before_saving(self) -> None:
        """Put the network of `chosen_epoch` back."""

    @contextmanager
    def averaged(self) -> Iterator[bool]:
        """Inside, the model has the weights that it is judged and kept by; yields whether these are
        others than it was trained with, which what norm layers know of their inputs no longer fits."""
        yield False

    def state(self) -> dict[str, Tensor]:
        """What a resumed run needs beside the model's weights and the optimiser's state."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
