"""The classic convolutional network, after LeNet-5 (LeCun et al. 1998) with ReLU, max-pooling and
dropout as in AlexNet (Krizhevsky et al. 2012) and only 3×3 kernels as in VGG (Simonyan & Zisserman,
1409.1556).

Weights start as Glorot uniform (Glorot & Bengio 2010, eq. 16), biases at zero. He's start (1502.01852),
made for ReLUs, is too large here, as max-pooling raises the activations too: the first loss on digits
is then 8.7 where chance is 2.3.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from core.models.sizes import MAX_MAP


class CNN(nn.Sequential):
    """Convolution, pooling and ReLU once a width, then two dense layers.

    Input (B, in_channels, side, side), normalised; output logits (B, num_classes).

    On 28×28 images with the default widths the maps are 28 → 14 → 7 → 3 and 128·3·3 = 1,152 numbers
    are flattened. Large images would leave a large map, and the first dense layer would hold nearly
    all weights (256×256: 128·32·32·512 = 67 million). So a map wider than `MAX_MAP` is averaged in
    equal squares first, as VGG's published code does; not with adaptive pooling, whose gradient is
    not deterministic on CUDA.

    Args:
        channels: the width of each convolution; how many there are is the depth.
        hidden: units of the dense layer before the classifier.
        dropout: share of those units that is dropped in each training step.
        channel_dropout: share of each convolution's maps that is dropped, whole, in each training step
            (SpatialDropout, Tompson et al., 1411.4280).
        batch_norm: normalise after each convolution (Ioffe & Szegedy, 1502.03167).
    """

    classifier, filters = "fc2", "conv1"

    def __init__(
        self,
        in_channels: int,
        side: int,
        num_classes: int,
        *,
        channels: Sequence[int],
        hidden: int,
        dropout: float,
        channel_dropout: float,
        batch_norm: bool,
    ) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        width, size = in_channels, side
        for number, next_width in enumerate(channels, 1):
            # A bias before batch norm is subtracted again with the mean, so it is left out.
            layers[f"conv{number}"] = nn.Conv2d(
                width, next_width, kernel_size=3, padding=1, bias=not batch_norm
            )
            if batch_norm:
                layers[f"norm{number}"] = nn.BatchNorm2d(next_width)
            if size >= 2:  # small images: a single pixel can't be halved
                # Before the ReLU, not after: the largest of four keeps its place under a function that
                # rises, so the result is the same, and the ReLU has a quarter to do.
                layers[f"pool{number}"] = nn.MaxPool2d(2)
                size //= 2
            layers[f"relu{number}"] = nn.ReLU(inplace=True)
            layers[f"dropout{number}"] = nn.Dropout2d(channel_dropout)  # of 0, too: an edit may set it
            width = next_width
        if size > MAX_MAP:
            square = -(-size // MAX_MAP)  # rounded up
            layers["average"] = nn.AvgPool2d(square)
            size //= square
        layers["flatten"] = nn.Flatten()  # (B, width, size, size) → (B, width·size·size)
        layers["fc1"] = nn.Linear(width * size * size, hidden)
        layers["relu"] = nn.ReLU(inplace=True)
        layers["dropout"] = nn.Dropout(dropout)
        layers["fc2"] = nn.Linear(hidden, num_classes)
        super().__init__(layers)
        for module in self:
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
