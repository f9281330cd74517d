"""Which parameters are regularised, and counted when sparsity is: weight matrices and filters.

Left out, and the page says so: biases, and the scales and shifts of norm layers (a few numbers each,
which shrinking only hurts), and additive embeddings such as learned positions or a class token (they
are data to the layers after them, not a map from one layer to the next).
"""

from __future__ import annotations

from torch import nn
from torch.nn.modules.conv import _ConvNd

LAYERS = (nn.Linear, _ConvNd, nn.RNNBase, nn.MultiheadAttention)


def regularised_weights(model: nn.Module) -> dict[str, list[nn.Parameter]]:
    """The weight matrices and filters of each layer, by the layer's dotted name in ``model``.

    They are the parameters that torch's `LAYERS` themselves call weights; all have two dimensions or
    more. Parameters that lie directly on any other module are left out, whatever their shape. A layer made of
    several matrices (an LSTM's ``weight_ih_l0``, ``weight_hh_l0``, …) is one layer; attention's output
    projection is a linear layer of its own. A shared parameter counts once, under the first layer
    that holds it.
    """
    seen: set[int] = set()
    layers: dict[str, list[nn.Parameter]] = {}
    for layer_name, module in model.named_modules():
        if not isinstance(module, LAYERS):
            continue
        for name, parameter in module.named_parameters(recurse=False):
            # By name, not by dimensions: attention's bias_k and bias_v have three, (1, 1, E).
            if "weight" in name and id(parameter) not in seen:
                seen.add(id(parameter))
                layers.setdefault(layer_name, []).append(parameter)
    return layers
