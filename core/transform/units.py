"""What can be taken out of a network whole: filters, neurons, heads, recurrent units; and who listens.

A unit that nobody listens to can be taken out without a trace. So it is masked by setting to 0 what leads
away from it; `core.transform.shrink` then takes it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from core.models.attention import Attention, Block, SelfAttention
from core.models.rnn import RNN

Views = list[Tensor]  # each (units, numbers): views of parameters, or copies
Dense = nn.Conv2d | nn.Linear


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one layer.

    Args:
        layer: its dotted name; of a recurrent layer that reads both ways also which way.
        family: what they are, in the plural.
        count: how many.
        incoming, outgoing: what a tensor like the parameters has of each unit, (units, numbers), from a
            function that gives the tensor for a parameter: the weights themselves, or their gradients.
        mask: sets to 0 what leads away from the units whose places it is given.
        permute: puts the units into another order, (count,) of places; the network answers as before.
        listener: a module that hears all of them, and ``heard``: of what it hears the part of each unit,
            (samples, count); None: a unit is more than one number there, whose order is its own.
    """

    layer: str
    family: str
    count: int
    incoming: Callable[[Callable[[Tensor], Tensor]], Tensor]
    outgoing: Callable[[Callable[[Tensor], Tensor]], Tensor]
    mask: Callable[[Tensor], None]
    permute: Callable[[Tensor], None]
    listener: nn.Module
    heard: Callable[[Tensor], Tensor] | None


def units_of(model: nn.Module) -> list[Units]:
    """Of each layer that has some, from the images to the classes. The classifier's are the classes, and
    what writes into attention's tokens has none: every block reads and writes the same numbers. None of an
    architecture of which it is not known who listens to whom."""
    if isinstance(model, nn.Sequential):
        chain = [(name, module) for name, module in model.named_children() if isinstance(module, Dense)]
        norms = {layer: norm for layer, norm in pairwise(model) if isinstance(norm, nn.BatchNorm2d)}
        return [
            _of_dense(name, layer, after, norms.get(layer)) for (name, layer), (_, after) in pairwise(chain)
        ]
    if isinstance(model, RNN):
        return _of_rnn(model)
    if not isinstance(model, Attention):
        return []
    found = []
    for name, block in named_blocks(model):
        found.append(_of_heads(f"{name}.attention", block.attention))
        found.append(_of_dense(f"{name}.fc1", block.fc1, block.fc2))
    return found


def named_blocks(model: Attention) -> list[tuple[str, Block]]:
    """Those that are left, by the names that they were given among all."""
    return [(name, module) for name, module in model.named_children() if isinstance(module, Block)]


def _of_dense(name: str, layer: Dense, after: Dense, norm: nn.BatchNorm2d | None = None) -> Units:
    count = len(layer.weight)

    def leaving(values: Tensor) -> Tensor:
        return values.reshape(len(after.weight), count, -1)

    def mask(gone: Tensor) -> None:
        seen = leaving(after.weight.detach().clone(memory_format=torch.contiguous_format))
        seen[:, gone] = 0
        after.weight.data.copy_(seen.view(after.weight.shape))

    def permute(order: Tensor) -> None:
        own = [layer.weight, layer.bias]
        if norm is not None:
            own += [norm.weight, norm.bias, norm.running_mean, norm.running_var]
        for each in own:
            if each is not None:
                each.data.copy_(each.data[order].clone())
        seen = leaving(after.weight.detach().clone(memory_format=torch.contiguous_format))
        after.weight.data.copy_(seen[:, order].reshape(after.weight.shape))

    return Units(
        name,
        "filters" if isinstance(layer, nn.Conv2d) else "neurons",
        count,
        lambda of: of(layer.weight).flatten(1),
        lambda of: leaving(of(after.weight)).transpose(0, 1).flatten(1),
        mask,
        permute,
        after,
        lambda heard: _by_unit(heard, count, isinstance(layer, nn.Conv2d)),
    )


def _by_unit(heard: Tensor, count: int, filters: bool) -> Tensor:
    """Numbers (N, C, H, W), (N, C·places) or (N, …, C) as (samples, count)."""
    if filters:
        return heard.reshape(len(heard), count, -1).transpose(1, 2).reshape(-1, count)
    return heard.reshape(-1, count)


def _of_heads(name: str, attention: SelfAttention) -> Units:
    qkv, output, heads = attention.qkv, attention.output, attention.heads

    def leaving(values: Tensor) -> Tensor:
        return values.unflatten(1, (heads, -1)).transpose(0, 1).flatten(1)

    def mask(gone: Tensor) -> None:
        output.weight.data.unflatten(1, (heads, -1))[:, gone] = 0

    def permute(order: Tensor) -> None:
        for each in (qkv.weight, qkv.bias):
            by_head = each.data.unflatten(0, (3, heads, -1))
            by_head.copy_(by_head[:, order].clone())
        by_head = output.weight.data.unflatten(1, (heads, -1))
        by_head.copy_(by_head[:, order].clone())

    return Units(
        name,
        "heads",
        heads,
        lambda of: of(qkv.weight).unflatten(0, (3, heads, -1)).transpose(0, 1).flatten(1),
        lambda of: leaving(of(output.weight)),
        mask,
        permute,
        output,
        None,
    )


def _of_rnn(model: RNN) -> list[Units]:
    found = []
    for number, layer in enumerate(model.layers):
        last = number + 1 == len(model.layers)
        listeners = [model.fc.weight] if last else [
            getattr(model.layers[number + 1], each)
            for each in ("weight_ih_l0", "weight_ih_l0_reverse")
            if hasattr(model.layers[number + 1], each)
        ]  # fmt: skip
        ways = ["", "_reverse"] if layer.bidirectional else [""]
        for place, way in enumerate(ways):
            name = f"rnn{number + 1}" + (f" ({'upwards' if way else 'downwards'})" if len(ways) > 1 else "")
            listener = model.fc if last else model.layers[number + 1]
            found.append(_of_recurrent(name, layer, way, listeners, place, listener))
    return found


def _of_recurrent(
    name: str, layer: nn.RNNBase, way: str, listeners: list[Tensor], place: int, listener: nn.Module
) -> Units:
    hidden = layer.hidden_size
    ih, hh = getattr(layer, f"weight_ih_l0{way}"), getattr(layer, f"weight_hh_l0{way}")
    columns = slice(place * hidden, (place + 1) * hidden)

    def incoming(of: Callable[[Tensor], Tensor]) -> Tensor:
        rows = [of(each).unflatten(0, (-1, hidden)).transpose(0, 1).flatten(1) for each in (ih, hh)]
        return torch.cat(rows, 1)

    def outgoing(of: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.cat([of(hh).T, *(of(each)[:, columns].T for each in listeners)], 1)

    def mask(gone: Tensor) -> None:
        hh.data[:, gone] = 0
        for each in listeners:
            each.data[:, columns][:, gone] = 0

    def permute(order: Tensor) -> None:
        for each in (ih, hh, *(getattr(layer, f"bias_{of}_l0{way}") for of in ("ih", "hh"))):
            by_gate = each.data.unflatten(0, (-1, hidden))
            by_gate.copy_(by_gate[:, order].clone())
        for each in (hh.data, *(each.data[:, columns] for each in listeners)):
            each.copy_(each[:, order].clone())

    def heard(values: Tensor) -> Tensor:
        return values[..., columns].reshape(-1, hidden)

    return Units(name, "recurrent units", hidden, incoming, outgoing, mask, permute, listener, heard)
