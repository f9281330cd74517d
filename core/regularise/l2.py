"""L2 in the loss, ridge (Hoerl & Kennard 1970; for networks, Krogh & Hertz 1991): half the sum of squares."""

from __future__ import annotations

import torch
from torch import Tensor

from core.regularise.regulariser import Regulariser


class L2(Regulariser):
    """``½‖w‖²``, so that its gradient is ``w`` and λ means what torch's ``weight_decay`` means under SGD."""

    def penalty(self) -> Tensor:
        return torch.stack([weight.square().sum() for weight in self.weights]).sum() / 2
