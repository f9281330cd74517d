"""LeNet-300-100, the network that papers on sparsity begin with: every pixel to every unit, twice.

LeCun et al. 1998, section III.C.2; ReLU in place of the paper's scaled tanh, as pruning papers have it
(Han et al. 2015, 1506.02626). Weights start as Glorot uniform (Glorot & Bengio 2010, eq. 16), biases at zero.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn


class MLP(nn.Sequential):
    """Dense layers with a ReLU after each, then a dense classifier.

    Input (B, in_channels, side, side), normalised; output logits (B, num_classes).

    Args:
        hidden: the width of each layer before the classifier; how many there are is the depth.
        dropout: share of each such layer's units that is dropped in each training step.
    """

    filters = "fc1"

    def __init__(
        self, in_channels: int, side: int, num_classes: int, *, hidden: Sequence[int], dropout: float
    ) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        width = in_channels * side**2
        for number, next_width in enumerate(hidden, 1):
            layers[f"fc{number}"] = nn.Linear(width, next_width)
            layers[f"relu{number}"] = nn.ReLU(inplace=True)
            layers[f"dropout{number}"] = nn.Dropout(dropout)
            width = next_width
        classifier = f"fc{len(hidden) + 1}"
        layers[classifier] = nn.Linear(width, num_classes)
        super().__init__(layers)
        self.classifier = classifier
        for module in self:
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
