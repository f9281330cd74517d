"""Distillation (Hinton, Vinyals & Dean 2015, arXiv 1503.02531): a network learns what others answer.

    (1 − α)·CE(labels) + α·T²·KL(teachers ‖ network), both at temperature T

T² keeps the size of the soft part's gradient as T changes (their section 2). Several teachers count with the
mean of their softened probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from core.regularise.regulariser import Regulariser
from core.run.errors import SpecError

Teachers = Callable[[Tensor, float], Tensor]
"""Of images (B, C, S, S) in [0, 1] and a temperature the softened probabilities (B, num_classes)."""

UNTAUGHT = (
    "distillation needs a teacher, and there is none here: open a finished run, and choose Compress and "
    "Distil there."
)


class Distillation(Regulariser):
    """The loss of a student; `teachers` are given to it before training begins.

    They are asked about the very images of the step, augmented and mixed. Of mixed images the labels are
    shares of classes, and what the teachers answer stands beside those as it does beside one label.
    """

    teachers: Teachers | None = None

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)

    def aim(self, loss: Tensor, logits: Tensor, images: Tensor) -> Tensor:
        if self.teachers is None:
            raise SpecError("regularisers", UNTAUGHT)
        temperature, alpha = self.params["temperature"], self.params["alpha"]
        if alpha == 0:
            return loss
        soft = self.teachers(images, temperature)[: len(logits)]
        apart = F.kl_div((logits / temperature).log_softmax(1), soft, reduction="batchmean")
        return (1 - alpha) * loss + alpha * temperature**2 * apart
