"""How good the network is, as it would be kept: with averaged weights, if the spec averages them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from core import data
from core.engine.session import Session, epoch_order

EVALUATION_BATCH = 256  # 10 % faster than 512 on a CPU, whose caches it fits
NORM_BATCHES = 10  # as many as torch's running statistics remember, at their momentum of 0.1


def evaluate(session: Session, dataset: data.Dataset) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy (share) of the network on plain, unaugmented images."""
    session.model.eval()
    loss, correct = 0.0, 0
    with torch.inference_mode(), session.autocast():
        for images, labels in zip(
            dataset.images.split(EVALUATION_BATCH), dataset.labels.split(EVALUATION_BATCH), strict=True
        ):
            logits = session.model(session.normalised(images.float().div_(255)))
            loss += float(F.cross_entropy(logits, labels, reduction="sum"))
            correct += int((logits.argmax(1) == labels).sum())
    return loss / len(dataset.labels), correct / len(dataset.labels)


@contextmanager
def as_kept(session: Session, epoch: int) -> Iterator[None]:
    """Inside, the network is the one that is evaluated and saved after ``epoch`` epochs; then it trains on.

    Averaged weights give other activations than those that train did, so batch norm takes its statistics
    anew, over the first `NORM_BATCHES` batches of this epoch (Izmailov et al. 2018, arXiv 1803.05407,
    section 3.2, go through all of them).
    """
    with session.regularisation.averaged() as averaged:
        norms = [module for module in session.model.modules() if isinstance(module, _BatchNorm)]
        if not averaged or not norms:
            yield
            return
        before = [(buffer, buffer.clone()) for norm in norms for buffer in norm.buffers()]
        _take_statistics(session, norms, epoch)
        try:
            yield
        finally:
            for buffer, value in before:
                buffer.copy_(value)


@torch.no_grad()
def _take_statistics(session: Session, norms: list[_BatchNorm], epoch: int) -> None:
    """The mean over batches, each as the network was trained on it, but without dropout."""
    size, per_epoch = session.spec.train.batch_size, session.steps_per_epoch
    order = epoch_order(session.spec, len(session.train.labels), epoch).to(session.device)
    momenta = [norm.momentum for norm in norms]
    session.model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean
        norm.train()
    with session.autocast():
        for i in range(min(per_epoch, NORM_BATCHES)):
            index = order[i * size : (i + 1) * size]
            images, _ = session.batch(index, (epoch - 1) * per_epoch + i)
            session.model(session.normalised(images))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
