"""One step of training."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from core.optimise.catalogue import learning_rate
from core.randomness import derive, private_draws
from core.train.divergence import diverged
from core.train.session import Session


class Stepped(NamedTuple):
    """What a step came to."""

    loss: Tensor  # (), of the whole batch, without penalties, nats
    correct: Tensor  # (), how many images of the whole batch were named rightly
    logits: Tensor  # (B, num_classes), of the images that were computed here


def train_step(
    session: Session,
    images: Tensor,
    targets: Tensor,
    step: int,
    *,
    size: int | None = None,
    look: bool = False,
) -> Stepped:
    """One update of the weights.

    Args:
        targets: labels (B,), or the share of each class (B, num_classes): the cross-entropy against
            shares λ of class a and 1 − λ of class b is λ·CE(a) + (1 − λ)·CE(b).
        size: how many images the whole batch has, where several processes share it; None: these are all.
        look: raise `DivergedError` if the data loss is no finite number, with the gradients of the step
            before still there.
    """
    spec, optimiser, together = session.spec, session.optimiser, session.together
    size = len(images) if size is None else size
    epochs_done = session.clock.epochs_done(step)
    rate = learning_rate(spec.optimiser, session.clock.share(step))
    rate *= session.regularisation.rate_factor(epochs_done)
    for group in optimiser.param_groups:
        group["lr"] = rate
    session.regularisation.begin_step(spec.seed_of("dropout"), step, epochs_done)

    def forward() -> tuple[Tensor, Tensor, Tensor]:
        # Dropout draws from the global generator in the forward pass only; backward re-uses its masks.
        masks = private_draws(derive(spec.seed_of("dropout"), "dropout", step), session.device)
        with masks, session.autocast(), together.as_whole(size):
            logits = together.network(session.normalised(images))
            if len(logits) > len(targets):  # images that were there for company
                logits = logits[: len(targets)]
            smoothing = session.regularisation.label_smoothing(epochs_done)
            loss = F.cross_entropy(logits, targets, label_smoothing=smoothing)
        return logits, loss, session.regularisation.aim(loss, logits, images, epochs_done)

    with attention_kernel(session.device):
        logits, loss, aim = forward()
        told, correct = together.over_batch(loss.detach(), logits.detach(), targets, size)
        if look and not math.isfinite(number := float(told)):
            raise diverged(session, f"The loss became {number} at step {step + 1}", step, step - 1)
        aim = together.to_minimise(aim, size)
        again = lambda: together.to_minimise(forward()[2], size)  # noqa: E731
        session.regularisation.backward(optimiser, aim, again, epochs_done)
    session.regularisation.step(optimiser, epochs_done)
    return Stepped(told, correct, logits.detach())


def attention_kernel(device: torch.device) -> AbstractContextManager[None]:
    """Inside, attention gives the same gradients every time.

    On CUDA the flash and memory-efficient kernels add up gradients in no fixed order; the math kernel does
    not (torch documentation, `scaled_dot_product_attention`).
    """
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cuda" else nullcontext()


def refuse_divergence(session: Session, losses: Tensor, i: int, first_step: int) -> None:
    """Raise `DivergedError` at the first of the epoch's losses so far that is not a finite number."""
    if losses[: i + 1].isfinite().all():
        return
    bad = int((~losses[: i + 1].isfinite()).nonzero()[0])
    what = f"The loss became {float(losses[bad])} at step {first_step + bad + 1}"
    raise diverged(session, what, first_step + bad, first_step + i)
