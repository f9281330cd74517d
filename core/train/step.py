"""One step of training."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from core.optimise.catalogue import learning_rate
from core.randomness import derive, private_draws
from core.train.divergence import diverged
from core.train.session import Session


def train_step(
    session: Session, images: Tensor, targets: Tensor, step: int, *, look: bool = False
) -> tuple[Tensor, Tensor]:
    """One update of the weights; returns the data loss, without penalties, and the logits.

    Args:
        targets: labels (B,), or the share of each class (B, num_classes): the cross-entropy against
            shares λ of class a and 1 − λ of class b is λ·CE(a) + (1 − λ)·CE(b).
        look: raise `DivergedError` if the data loss is no finite number, with the gradients of the step
            before still there.
    """
    spec, optimiser = session.spec, session.optimiser
    epochs_done = session.clock.epochs_done(step)
    rate = learning_rate(spec.optimiser, session.clock.share(step))
    for group in optimiser.param_groups:
        group["lr"] = rate
    session.regularisation.begin_step(spec.seed_of("dropout"), step, epochs_done)

    def forward() -> tuple[Tensor, Tensor]:
        # Dropout draws from the global generator in the forward pass only; backward re-uses its masks.
        masks = private_draws(derive(spec.seed_of("dropout"), "dropout", step), session.device)
        with masks, session.autocast():
            logits = session.model(session.normalised(images))
            smoothing = session.regularisation.label_smoothing(epochs_done)
            return logits, F.cross_entropy(logits, targets, label_smoothing=smoothing)

    with attention_kernel(session.device):
        logits, loss = forward()
        if look and not math.isfinite(number := float(loss.detach())):
            raise diverged(session, f"The loss became {number} at step {step + 1}", step, step - 1)
        session.regularisation.backward(optimiser, loss, lambda: forward()[1], epochs_done)
    session.regularisation.step(optimiser, epochs_done)
    return loss.detach(), logits.detach()


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
