"""Taking units out of a recurrent network that nobody listens to.

A unit's state is a function of time, alike for all images if it hears nothing; so it can't be folded into a
bias as elsewhere. But units whose states are read by no layer above, and by no unit that stays, can be taken
out without a trace.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.rnn import RNN


@torch.no_grad()
def shrink_recurrent(model: RNN) -> dict[str, tuple[int, int]]:
    """Take them out, in place, from the last layer to the first, which may lose more by that; how many of
    each layer are kept, of how many. Both ways of a layer keep as many as the larger one needs."""
    kept: dict[str, tuple[int, int]] = {}
    for number in reversed(range(len(model.layers))):
        layer = model.layers[number]
        above = _above(model, number)
        ways = _ways(layer)
        needed = [_heard(layer, way, place, above) for place, way in enumerate(ways)]
        width = max(1, *(int(each.sum()) for each in needed))
        keep = [_filled(each, width) for each in needed]
        kept[f"rnn{number + 1}"] = (width, layer.hidden_size)
        if width < layer.hidden_size:
            columns = torch.cat([each + place * layer.hidden_size for place, each in enumerate(keep)])
            for owner, name in above:
                _put(owner, name, getattr(owner, name)[:, columns])
                width_of = "input_size" if isinstance(owner, nn.RNNBase) else "in_features"
                setattr(owner, width_of, len(columns))
            _keep(layer, ways, keep, width)
    for layer in model.layers:
        layer.flatten_parameters()
    return dict(reversed(kept.items()))


def _ways(layer: nn.RNNBase) -> list[str]:
    return ["", "_reverse"] if layer.bidirectional else [""]


def _above(model: RNN, number: int) -> list[tuple[nn.Module, str]]:
    """What reads a layer's states: modules, and the names of their weights."""
    if number + 1 == len(model.layers):
        return [(model.fc, "weight")]
    after = model.layers[number + 1]
    return [(after, f"weight_ih_l0{way}") for way in _ways(after)]


def _heard(layer: nn.RNNBase, way: str, place: int, above: list[tuple[nn.Module, str]]) -> Tensor:
    """Which units (hidden,) somebody hears: a layer above, or a unit that is heard itself."""
    hidden = layer.hidden_size
    columns = slice(place * hidden, (place + 1) * hidden)
    readers = [getattr(owner, name)[:, columns].any(0) for owner, name in above]
    heard = torch.stack(readers).any(0)
    listens = getattr(layer, f"weight_hh_l0{way}").unflatten(0, (-1, hidden)).any(0)  # (who, whom)
    while True:
        more = heard | (listens & heard[:, None]).any(0)
        if torch.equal(more, heard):
            return heard
        heard = more


def _filled(heard: Tensor, width: int) -> Tensor:
    """The places of ``width`` units: all that are heard, and the first others."""
    order = torch.argsort(heard.logical_not().int(), stable=True)
    return order[:width].sort().values


def _keep(layer: nn.RNNBase, ways: list[str], keep: list[Tensor], width: int) -> None:
    hidden = layer.hidden_size
    gates = len(layer.weight_hh_l0) // hidden  # type: ignore[arg-type]
    for way, units in zip(ways, keep, strict=True):
        rows = torch.cat([units + gate * hidden for gate in range(gates)])
        for name in (f"weight_ih_l0{way}", f"bias_ih_l0{way}", f"bias_hh_l0{way}"):
            _put(layer, name, getattr(layer, name)[rows])
        name = f"weight_hh_l0{way}"
        _put(layer, name, getattr(layer, name)[rows][:, units])
    layer.hidden_size = width


def _put(module: nn.Module, name: str, values: Tensor) -> None:
    setattr(module, name, nn.Parameter(values.detach().clone().contiguous()))
