"""All the regularisers of a run, as the training loop sees them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.catalogue import imported
from core.regularise.catalogue import REGULARISERS
from core.regularise.regulariser import Regulariser
from core.regularise.release import acting, rate_factor
from core.regularise.schedule import strength_at
from core.run.spec import RegulariserSpec

R = TypeVar("R", bound=Regulariser)


class Regularisation:
    """A run's regularisers at work on its model.

    In the loop: `begin_step` before the forward pass, `label_smoothing` in the cross-entropy, `backward`
    instead of the loss's own, and `step` where ``optimiser.step()`` would stand. A strength of 0 changes
    nothing, to the last bit.

    Several act together. What is in the loss adds up. Proximal steps follow each other in the
    catalogue's order: L1, elastic net, group lasso, and are together exactly the proximal step of their sum:
    thresholds add; a group scales and keeps signs, so that what single weights pay comes first (Friedman et
    al. 2010, arXiv 1001.0736, with any step sizes); and after the elastic net's L2 part has divided, the
    group's steps are smaller by as much (``curvature``).

    Args:
        specs: completed by `core.regularise.check`.
        model: on the device it is trained on; made before the optimiser, which trains `own_parameters` too.
    """

    def __init__(self, specs: Sequence[RegulariserSpec], model: nn.Module) -> None:
        self._acting = acting(specs)
        self._regularisers: list[Regulariser] = [
            imported(REGULARISERS[spec.kind].makes)(model, spec.params) for _, spec in self._acting
        ]

    def own_parameters(self) -> list[nn.Parameter]:
        """What the optimiser must train besides the model: an L0 penalty's gates. They never decay."""
        return [parameter for regulariser in self._regularisers for parameter in regulariser.own_parameters()]

    def label_smoothing(self, epoch: float) -> float:
        """The share of each label to spread evenly over all classes now, in [0, 1)."""
        return sum(
            (regulariser.label_smoothing(strength) for _, regulariser, strength in self._now(epoch)), 0.0
        )

    def begin_step(self, seed: int, step: int, epoch: float) -> None:
        """Before the forward pass of step ``step``, from 0, in the run of ``seed``."""
        for _, regulariser, _ in self._now(epoch):
            regulariser.begin_step(seed, step)

    def aim(self, loss: Tensor, logits: Tensor, images: Tensor, epoch: float) -> Tensor:
        """What is minimised in place of the batch's own ``loss``, but for penalties."""
        for _, regulariser, _ in self._now(epoch):
            loss = regulariser.aim(loss, logits, images)
        return loss

    def of_type(self, kind: type[R]) -> list[R]:
        """Those of the regularisers that are of a class."""
        return [each for each in self._regularisers if isinstance(each, kind)]

    def loss_term(self, epoch: float) -> Tensor | None:
        """What ``penalty`` solvers add to the loss now, differentiable; None if that is nothing."""
        parts = [
            strength * regulariser.penalty()
            for spec, regulariser, strength in self._now(epoch)
            if spec.solver == "penalty"
        ]
        return torch.stack(parts).sum() if parts else None

    def backward(self, optimiser: Optimizer, loss: Tensor, again: Callable[[], Tensor], epoch: float) -> None:
        """Give all that is trained its gradients: of the loss, and of what ``penalty`` solvers add to it.

        Args:
            loss: of the batch, differentiable.
            again: computes it once more, from the same draws, with the weights as they then are.
        """
        optimiser.zero_grad(set_to_none=True)
        twice = [
            (regulariser, strength)
            for spec, regulariser, strength in self._now(epoch)
            if REGULARISERS[spec.kind].passes > 1
        ]
        if not twice:
            penalty = self.loss_term(epoch)
            (loss if penalty is None else loss + penalty).backward()
            return
        loss.backward()
        for regulariser, strength in twice:
            with regulariser.uphill(strength):
                optimiser.zero_grad(set_to_none=True)
                again().backward()
        if (penalty := self.loss_term(epoch)) is not None:  # where the weights are
            penalty.backward()

    def step(self, optimiser: Optimizer, epoch: float) -> None:
        """Decay the weights, step the optimiser, shrink the weights: each as the spec asks.

        The optimiser's own ``lr`` is read, so set a schedule's value before. The last in the catalogue
        is first before the step and last after it, so that it can lay the others' weights around it.
        """
        around = list(self._now(epoch))
        for _, regulariser, strength in reversed(around):
            regulariser.before_step(optimiser, strength)
        optimiser.step()
        curvature, followed = 0.0, 1.0
        if any(spec.solver == "proximal" for spec, _, _ in around):
            followed = math.prod(regulariser.followed() for _, regulariser, _ in around)
        for spec, regulariser, strength in around:
            if spec.solver == "proximal":
                regulariser.proximal_step(optimiser, strength * followed, curvature)
                curvature += regulariser.curvature(strength * followed)
            regulariser.after_step(optimiser, strength)

    def epoch_trained(self, share: float) -> None:
        """After an epoch's last step, before it is evaluated: ``share`` of all epochs, in (0, 1], is done."""
        for regulariser in self._regularisers:
            regulariser.epoch_trained(share)

    def acted(self) -> dict[str, float]:
        """By kind, of those that count it: the share of the ending epoch's steps in which it changed
        something."""
        found = zip(self._acting, self._regularisers, strict=True)
        shares = {each.name: regulariser.acted() for each, regulariser in found}
        return {kind: share for kind, share in shares.items() if share is not None}

    def after_epoch(self, event: Mapping[str, Any]) -> str:
        """After an ``epoch`` event: a sentence that says why to stop training here, or ``""`` to go on."""
        reasons = [
            regulariser.after_epoch(event) for regulariser in self._regularisers
        ]  # all: each may keep count
        return next(filter(None, reasons), "")

    def chosen_epoch(self) -> int | None:
        """The epoch whose network is to be kept; None: the last."""
        epochs = (regulariser.chosen_epoch() for regulariser in self._regularisers)
        return next((epoch for epoch in epochs if epoch is not None), None)

    def before_saving(self) -> None:
        """Put the network of `chosen_epoch` back."""
        for regulariser in self._regularisers:
            regulariser.before_saving()

    @contextmanager
    def averaged(self) -> Iterator[bool]:
        """Inside, the model has the weights that it is judged and kept by: averages, if the spec asks.
        Yields whether these are others than it was trained with."""
        with ExitStack() as stack:
            others = [stack.enter_context(regulariser.averaged()) for regulariser in self._regularisers]
            yield any(others)

    @torch.no_grad()
    def values(self, epoch: float) -> dict[str, float]:
        """Each penalty now, by kind, whichever solver, at its strength: what the objective adds to the data
        loss. 0 where the strength still is. Decoupled weight decay is no term of an objective, so it is
        left out."""
        values = {name: 0.0 for name, spec in self._acting if spec.solver}
        parts = [
            (spec.kind, strength * regulariser.penalty())
            for spec, regulariser, strength in self._now(epoch)
            if spec.solver
        ]
        if parts:  # one wait for the device, not one a penalty
            numbers = torch.stack([part for _, part in parts]).tolist()
            for (kind, _), number in zip(parts, numbers, strict=True):
                values[kind] += number
        return values

    def strengths(self, epoch: float) -> dict[str, float]:
        """λ now, by kind; kinds without a strength are left out."""
        strengths: dict[str, float] = {}
        for each in self._acting:
            if each.spec.strength is not None and not each.holds:
                strengths[each.name] = strengths.get(each.name, 0.0) + strength_at(each.spec, epoch)
        return strengths

    def rate_factor(self, epoch: float) -> float:
        """What the learning rate is multiplied by now, as a penalty was released; 1.0 before."""
        return rate_factor([spec for _, spec in self._acting], epoch)

    def change(self, specs: Sequence[RegulariserSpec]) -> None:
        """From now on, regularise by ``specs``: completed, of the same kinds, with other strengths or
        parameters that are read each time."""
        self._acting = acting(specs)
        for each, regulariser in zip(self._acting, self._regularisers, strict=True):
            regulariser.params = each.spec.params

    def set_strength(self, kind: str, strength: float) -> None:
        """From now on λ of ``kind`` is ``strength``, in [0, 100], and its warm-up is over."""
        now = {"strength": strength, "warmup_epochs": 0}
        assert any(name == kind and spec.strength is not None for name, spec in self._acting)
        self._acting = [
            each._replace(spec=each.spec.model_copy(update=now)) if each.name == kind else each
            for each in self._acting
        ]

    def state(self) -> dict[str, Tensor]:
        """What a resumed run needs beside the model's weights and the optimiser's state, by name."""
        return {
            f"{i}.{name}": value
            for i, regulariser in enumerate(self._regularisers)
            for name, value in regulariser.state().items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave; KeyError if something is missing."""
        for i, regulariser in enumerate(self._regularisers):
            prefix = f"{i}."
            regulariser.load_state(
                {n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)}
            )

    def take_state(self, by_kind: Mapping[str, Sequence[Mapping[str, Tensor]]]) -> None:
        """Take the `state` of another run's regularisers, as far as there are some of the same kinds here.
        What holds the zeros of one that is released finds them anew.

        Args:
            by_kind: of each kind what those of it knew, one after the other.
        """
        left = {kind: list(states) for kind, states in by_kind.items()}
        for each, regulariser in zip(self._acting, self._regularisers, strict=True):
            if left.get(each.name):
                regulariser.load_state(left[each.name].pop(0))

    def _now(self, epoch: float) -> Iterator[tuple[RegulariserSpec, Regulariser, float]]:
        """The regularisers that are at work after ``epoch`` epochs, with their strengths."""
        for (_, spec), regulariser in zip(self._acting, self._regularisers, strict=True):
            if strength := 1.0 if spec.strength is None else strength_at(spec, epoch):
                yield spec, regulariser, strength
