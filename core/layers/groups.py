"""Which weights stand or fall together: all that a filter, a neuron or an attention head is made of.

- ``filters``: one output channel of a convolution; its kernel for every input channel.
- ``neurons``: a row of a dense layer, all that one unit hears; never the classifier's, whose outputs
  are the classes. In a recurrent layer a unit's rows in all its gates, from the input and from the state.
- ``heads``: what a module's ``weight_groups()`` lists: for attention a head's rows among the queries, keys
  and values and its columns of the output.

A filter, neuron or head of zeros puts out the same for every image: its bias, after norm and activation. So
it can be taken out exactly, with its constant folded into the next layer; of filters whose constant is not 0
one must stay, for the next filters also see the zeros around the image (`core.transform.shrink`). Two have no
such constant: a unit of a recurrent layer, whose biases make it a function of time, alike for all images; and
what is added to others' in attention's stream of tokens, where it only writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

Family = Literal["filters", "neurons", "heads"]


ListGroups = Callable[[], list[list[tuple[nn.Parameter, Any]]]]
"""``weight_groups`` of a module that knows which of its weights belong together, whatever layers they lie in:
for each group its weights, parameters and an index into each."""


def _as_stored(values: Tensor) -> Tensor:
    """Filters (out, in, height, width) as a run keeps them, channels last, so that their rows are a view and
    no copy; biases (out,) as (out, 1); anything else as it is."""
    return values.movedim(1, -1) if values.ndim == 4 else values[:, None] if values.ndim == 1 else values


@dataclass(frozen=True, slots=True)
class Part:
    """One parameter's share of a layer's groups; ``order`` says where in it each group's numbers lie.

    Args:
        order: places (num_groups, numbers of a group) in the flattened parameter; None: group g is all
            that has the first index g.
        gates: of which each has a row for every group, one gate after another, where there is no ``order``.
    """

    parameter: Tensor
    order: Tensor | None = None
    gates: int = 1

    @property
    def num_groups(self) -> int:
        return len(self.parameter) // self.gates if self.order is None else len(self.order)

    def rows(self, values: Tensor) -> Tensor:
        """``values``, shaped like the parameter, as (num_groups, numbers of a group); in which order these
        are is for `fill` to know."""
        return self._by_group(values).flatten(1) if self.order is None else values.flatten()[self.order]

    def spread(self, column: Tensor) -> Tensor:
        """A number for each group, (num_groups, 1), as what a tensor like the parameter is multiplied by."""
        if self.order is None:
            return column.repeat(self.gates, 1).view(-1, *[1] * (self.parameter.ndim - 1))
        return self._placed(column.expand(self.order.shape))

    def fill(self, rows: Tensor) -> None:
        """Write ``rows``, as `rows` gives them, into the parameter."""
        if self.order is not None:
            self.parameter.copy_(self._placed(rows))
        elif rows.data_ptr() != self.parameter.data_ptr():  # else they are the parameter, seen as rows
            by_group = self._by_group(self.parameter)
            by_group.copy_(rows.reshape(by_group.shape))

    def _by_group(self, values: Tensor) -> Tensor:
        """A view of ``values`` that has the groups first."""
        stored = _as_stored(values)
        return stored if self.gates == 1 else stored.unflatten(0, (self.gates, -1)).transpose(0, 1)

    def _placed(self, rows: Tensor) -> Tensor:
        """``rows`` where ``order`` says, shaped like the parameter."""
        placed = torch.empty_like(self.parameter, memory_format=torch.contiguous_format)
        placed.view(-1)[self.order] = rows
        return placed


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one layer, all of one size.

    Args:
        layer: the dotted name of the layer, or of the module that lists them.
        family: what its groups are.
        parts: the weights.
        biases: each group's own biases, for a group of zero weights to be silent.
    """

    layer: str
    family: Family
    parts: tuple[Part, ...]
    biases: tuple[Part, ...] = ()

    @property
    def size(self) -> int:
        """Weights in each group."""
        return sum(part.parameter.numel() for part in self.parts) // self.parts[0].num_groups

    def rows(self) -> Tensor:
        """The weights (num_groups, size), differentiable."""
        return self.gathered([part.parameter for part in self.parts])

    def gathered(self, values: list[Tensor]) -> Tensor:
        """``values``, one tensor for each of ``parts``, shaped like it, as (num_groups, size)."""
        rows = [part.rows(value) for part, value in zip(self.parts, values, strict=True)]
        return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)

    def fill(self, rows: Tensor) -> None:
        """Write ``rows`` (num_groups, size) into the weights."""
        widths = [part.parameter.numel() // len(rows) for part in self.parts]
        for part, own in zip(self.parts, rows.split(widths, dim=1), strict=True):
            part.fill(own)

    @torch.no_grad()
    def zero(self) -> Tensor:
        """Which groups (num_groups,) are exactly zero."""
        return self.rows().abs().amax(dim=1) == 0  # several times as fast as `any`


def weight_groups(model: nn.Module) -> list[Groups]:
    """The groups of each layer of ``model``; a parameter belongs to the first layer that claims it.

    The layer that ``model.classifier`` names has none: its outputs are the classes.
    """
    classifier = getattr(model, "classifier", "")
    taken = (
        {id(parameter) for parameter in model.get_submodule(classifier).parameters()} if classifier else set()
    )
    found = []
    for name, module in model.named_modules():
        for groups in _groups_of(name, module):
            if not any(id(part.parameter) in taken for part in groups.parts):
                taken |= {id(part.parameter) for part in groups.parts}
                found.append(groups)
    return found


def _groups_of(name: str, module: nn.Module) -> list[Groups]:
    listed: ListGroups | None = getattr(module, "weight_groups", None)
    if listed is not None:
        return [Groups(name, "heads", _listed(listed()))]
    if isinstance(module, nn.Linear) or (isinstance(module, _ConvNd) and not module.transposed):
        family: Family = "neurons" if isinstance(module, nn.Linear) else "filters"
        biases = () if module.bias is None else (Part(module.bias),)
        return [Groups(name, family, (Part(module.weight),), biases)]
    if isinstance(module, nn.RNNBase):
        return _units(name, module)
    return []


def _listed(groups: list[list[tuple[nn.Parameter, Any]]]) -> tuple[Part, ...]:
    """Parts from a module's own list: for each group, the parameters and indices of its weights."""
    orders: dict[Tensor, list[list[Tensor]]] = {}
    for i, group in enumerate(groups):
        for parameter, index in group:
            places = torch.arange(parameter.numel(), device=parameter.device).view(parameter.shape)
            of_groups = orders.setdefault(parameter, [[] for _ in groups])
            of_groups[i].append(places[index].flatten())
    return tuple(
        Part(parameter, torch.stack([torch.cat(places) for places in of_groups]))
        for parameter, of_groups in orders.items()
    )


def _units(name: str, module: nn.RNNBase) -> list[Groups]:
    """One `Groups` a direction of each of the module's layers."""
    units = module.hidden_size
    found = []
    for names in module._all_weights:
        parameters = [getattr(module, parameter) for parameter in names]
        parts = [Part(parameter, gates=len(parameter) // units) for parameter in parameters]
        weights = tuple(part for part in parts if part.parameter.ndim == 2)
        biases = tuple(part for part in parts if part.parameter.ndim == 1)
        found.append(Groups(name, "neurons", weights, biases))
    return found
