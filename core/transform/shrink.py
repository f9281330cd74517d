"""A network without the parts that sparsity has emptied: the same outputs from smaller matrices.

A unit (a filter, a neuron, an attention head) can be taken out without a trace in two cases:

- It hears nothing: all its weights are 0, so what it puts out is a constant, its bias after batch norm and
  activation. What the next layer makes of a constant goes into that layer's bias (*folding*), and with
  that nobody listens to the unit any more. A filter that the next filters see is special, as they also see
  the zeros around the image: if its constant is not 0, one such filter stays for all.
- Nobody listens: all weights that lead away from it are 0.

So constants are folded from the first layer to the last, and units without listeners are cut from the last
layer to the first; after one pass each way there is nothing more to find. A width never falls below 1.

Left as they are: the pixels, the classes, and the width of attention's tokens (every block reads and writes
the same). Recurrent units, which listen to each other through time, have a file of their own,
`core.transform.recurrent`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.layers.quantise import heard
from core.models.attention import Block, SelfAttention
from core.models.rnn import RNN
from core.models.summary import summarise_module
from core.transform.recurrent import shrink_recurrent

Dense = nn.Conv2d | nn.Linear


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network takes: numbers it learns, and multiply-adds for one image forward."""

    parameters: int
    multiply_adds: int


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A smaller network and what was taken out of it.

    Args:
        model: gives the same logits up to rounding, in evaluation mode; on the same device, and
            trainable like any other.
        layers: for each layer with units that may go (filters, neurons, heads), how many are kept, of how
            many; the classifier is not among them.
        before: the cost of the network that was given.
        after: the cost of ``model``.
    """

    model: nn.Module
    layers: dict[str, tuple[int, int]]
    before: Cost
    after: Cost


@torch.no_grad()
def shrink(model: nn.Module, *, channels: int, side: int) -> Shrunk:
    """A copy of ``model``, one of this package's networks, without the units that do nothing.

    Args:
        model: is left as it is.
        channels: the images' channels, and ``side`` their side in pixels, to count multiply-adds for.
    """
    small = copy.deepcopy(model).eval()
    before = _cost(small, channels, side)
    layers = _shrink_sequence(small) if isinstance(small, nn.Sequential) else {}
    if isinstance(small, RNN):
        layers = shrink_recurrent(small)
    for name, module in small.named_modules():
        if isinstance(module, Block):
            layers |= _shrink_block(name, module)
    small.train(model.training)
    return Shrunk(small, layers, before, _cost(small, channels, side))


def _cost(model: nn.Module, channels: int, side: int) -> Cost:
    summary = summarise_module(model, channels=channels, side=side)
    return Cost(summary.parameters, summary.multiply_adds)


def _shrink_sequence(model: nn.Sequential) -> dict[str, tuple[int, int]]:
    """Layers in a row; what stands between two of them acts on each unit by itself."""
    chain = [(name, module) for name, module in model.named_children() if isinstance(module, Dense)]
    norms = {layer: norm for layer, norm in pairwise(model) if isinstance(norm, nn.BatchNorm2d)}
    links = [(name, layer, norms.get(layer), after) for (name, layer), (_, after) in pairwise(chain)]
    for _, layer, norm, after in links:
        _fold(layer.weight, _constants(layer, norm), after)
    kept = {name: _cut(layer, norm, after) for name, layer, norm, after in reversed(links)}
    return dict(reversed(kept.items()))


def _shrink_block(name: str, block: Block) -> dict[str, tuple[int, int]]:
    _fold(block.fc1.weight, F.gelu(block.fc1.bias), block.fc2)
    return {
        f"{name}.attention": _shrink_heads(block.attention),
        f"{name}.fc1": _cut(block.fc1, None, block.fc2),
    }


def _shrink_heads(attention: SelfAttention) -> tuple[int, int]:
    """A head whose values are constant puts out that constant, wherever it looks."""
    qkv, output, heads = attention.qkv, attention.output, attention.heads
    _fold(qkv.weight.chunk(3)[2], qkv.bias.chunk(3)[2], output)
    keep = _heard(_seen(output, heads))
    columns = keep.repeat_interleave(output.in_features // heads)
    _keep_units(qkv, columns.repeat(3))
    _set(output, output.weight[:, columns])
    attention.heads = int(keep.sum())
    return attention.heads, heads


def _constants(layer: Dense, norm: nn.BatchNorm2d | None) -> Tensor:
    """What each unit (units,) puts out after the ReLU if its weights are all 0; pooling leaves it so."""
    units = len(layer.weight)
    value = layer.weight.new_zeros(units) if layer.bias is None else layer.bias
    if norm is not None:
        value = norm(value.view(1, units, 1, 1)).view(units)
    return value.relu()


def _fold(weight: Tensor, constants: Tensor, after: Dense) -> None:
    """Let the layer ``after`` hear nothing more of units whose ``weight`` rows are all 0, and account for
    the ``constants`` (units,) that they put out."""
    silent = ~weight.flatten(1).any(1)
    constants = heard(after, constants.where(silent, 0))
    seen = _seen(after, len(weight))
    said = (seen * constants[:, None]).sum(1)  # (O, places)
    seen[:, silent] = 0
    if isinstance(after, nn.Linear):
        after.bias.add_(said.sum(1))
    elif (loudest := constants.max()) != 0:
        seen[:, constants.argmax()] = said / loudest


def _cut(layer: Dense, norm: nn.BatchNorm2d | None, after: Dense) -> tuple[int, int]:
    """Take out the layer's units that ``after`` does not listen to; how many are kept, of how many."""
    units = len(layer.weight)
    seen = _seen(after, units)
    keep = _heard(seen)
    _set(after, seen[:, keep].reshape(len(seen), -1, *after.weight.shape[2:]))
    _keep_units(layer, keep)
    if norm is not None:
        _keep_units(norm, keep)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean, norm.running_var = norm.running_mean[keep], norm.running_var[keep]
    return int(keep.sum()), units


def _seen(layer: Dense, units: int) -> Tensor:
    """A view (O, units, places) of the layer's weights by the unit they come from: the places are a
    kernel's, or the pixels of a flattened map, or one."""
    return layer.weight.view(len(layer.weight), units, -1)


def _heard(seen: Tensor) -> Tensor:
    """Which units (units,) anything is heard of, of `_seen` weights; the first if there is none."""
    heard = seen.any(2).any(0)
    heard[0] |= ~heard.any()
    return heard


def _keep_units(layer: Dense | nn.BatchNorm2d, keep: Tensor) -> None:
    if layer.bias is not None:
        layer.bias = nn.Parameter(layer.bias[keep])
    _set(layer, layer.weight[keep])


def _set(layer: Dense | nn.BatchNorm2d, weight: Tensor) -> None:
    """Give the layer another weight, in the same memory format, and the sizes that follow from it."""
    if weight.ndim == 4 and layer.weight.is_contiguous(memory_format=torch.channels_last):
        weight = weight.contiguous(memory_format=torch.channels_last)
    layer.weight = nn.Parameter(weight)
    match layer:
        case nn.Conv2d():
            layer.out_channels, layer.in_channels = weight.shape[:2]
        case nn.Linear():
            layer.out_features, layer.in_features = weight.shape
        case nn.BatchNorm2d():
            layer.num_features = len(weight)
