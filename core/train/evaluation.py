"""How good the network is, as it would be kept: with averaged weights, if the spec averages them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from core.data.dataset import Dataset
from core.train.batching import batches
from core.train.session import Session

EVALUATION_BATCH = 512  # a CPU is as fast with 200 to 1,000
NORM_BATCHES = 10  # as many as torch's running statistics remember, at their momentum of 0.1


class Judgement(NamedTuple):
    """What the network made of some images."""

    losses: Tensor  # (N,) cross-entropy, nats
    correct: Tensor  # (N,) bool
    answers: Tensor  # (N,) the classes that it names
    confidence: Tensor  # (N,) the softmax's probability of the answer

    @property
    def loss(self) -> float:
        """The mean, nats."""
        return float(self.losses.double().mean())

    @property
    def accuracy(self) -> float:
        """The share of images that are classified correctly."""
        return int(self.correct.sum()) / len(self.correct)

    @property
    def right(self) -> str:
        """Which images are right, a bit an image, in hexadecimal: so that networks can be compared image by
        image."""
        return np.packbits(self.correct.cpu().numpy()).tobytes().hex()


def evaluate(session: Session, dataset: Dataset) -> Judgement:
    """Judge the network by plain, unaugmented images."""
    session.model.eval()
    losses, correct, answers, confidence = [], [], [], []
    batches = (part.split(EVALUATION_BATCH) for part in (dataset.images, dataset.labels))
    with torch.inference_mode(), session.autocast():
        for images, labels in zip(*batches, strict=True):
            session.check()
            logits = session.model(session.normalised(images.float().div_(255)))
            losses.append(F.cross_entropy(logits, labels, reduction="none").float())
            answers.append(logits.argmax(1))
            correct.append(answers[-1] == labels)
            confidence.append(logits.float().softmax(1).amax(1))
    return Judgement(*map(torch.cat, (losses, correct, answers, confidence)))


@contextmanager
def evaluation_weights(session: Session, epoch: int) -> Iterator[None]:
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
        try:
            take_statistics(session, norms, epoch)
            yield
        finally:
            for buffer, value in before:
                buffer.copy_(value)


@torch.no_grad()
def take_statistics(session: Session, norms: list[_BatchNorm], epoch: int) -> None:
    """The mean over batches, each as the network was trained on it, but without dropout."""
    momenta = [norm.momentum for norm in norms]
    session.model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean
        norm.train()
    try:
        with session.together.judging(), session.autocast():
            for batch in batches(session, epoch, NORM_BATCHES):
                session.check()
                session.model(session.normalised(batch.images))
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
