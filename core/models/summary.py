"""What a network consists of, before it exists: layers, shapes, parameters, multiply-adds.

The network runs once on one image of zeros: on the CPU if it has few parameters, and else on torch's meta
device, where tensors have shapes but no numbers, so 50 million parameters take no memory and no time. A
layer's multiply-adds follow from its shapes; additions, norms and activations are left out, as is usual.
The tests compare the sums with torch's `FlopCounterMode`. It is not used here, as it hooks every module of
the process while it counts, and so those of a run in another thread.

The meta device alone would do, but the first operation there takes a process about a second: torch loads its
compiler's library for it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.catalogue import look_up
from core.models.attention import DropPath, Mix, Positions
from core.models.build import build_model, count_parameters, shape_of_model
from core.models.catalogue import ARCHITECTURES
from core.models.check import completed_model
from core.run.spec import ModelSpec

FEW_PARAMETERS = 4_000_000  # 16 MB, and 20 ms to draw


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer, for one image.

    Args:
        name: the module's, as in ``model.named_modules()``.
        kind: what it is, for a person.
        output_shape: without the batch.
        parameters: numbers it learns.
        share: of the network's parameters, 0 to 1.
        multiply_adds: in a forward pass.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    share: float
    multiply_adds: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The layers in the order they run, and their sums; multiply-adds for one image forward."""

    rows: tuple[LayerRow, ...]
    parameters: int
    multiply_adds: int


def summarise(spec: ModelSpec, *, channels: int, side: int, num_classes: int) -> Summary:
    """The network's layers for images (channels, side, side).

    Raises:
        SpecError: as `completed_model`.
    """
    shape = {"channels": channels, "side": side, "num_classes": num_classes}
    entry = look_up(ARCHITECTURES, spec.arch, "model.arch", "architecture")
    params = completed_model(spec, **shape).params
    small = entry.count_parameters(params, channels, side, num_classes) <= FEW_PARAMETERS
    model = build_model(spec, **shape, seed=0) if small else shape_of_model(spec, **shape)
    return summarise_module(model, channels=channels, side=side)


@torch.no_grad()
def summarise_module(model: nn.Module, *, channels: int, side: int) -> Summary:
    """As `summarise`, for a network that exists; it runs where it is."""
    model = copy.deepcopy(model).eval()
    total = count_parameters(model)
    rows = _watch(model, total)
    device = next(model.parameters()).device
    with device:
        model(torch.zeros(1, channels, side, side))
    assert sum(row.parameters for row in rows) == total, "a parameter belongs to no leaf module"
    return Summary(tuple(rows), total, sum(row.multiply_adds for row in rows))


def multiply_adds(model: nn.Module, *, channels: int, side: int) -> int:
    """Of one image's forward pass through a network that exists."""
    return summarise_module(model, channels=channels, side=side).multiply_adds


def _watch(model: nn.Module, total: int) -> list[LayerRow]:
    """A list that gains a row whenever one of the model's layers has run."""
    rows: list[LayerRow] = []
    names = {module: name for name, module in model.named_modules() if not list(module.children())}

    def shorten(layer: nn.RNNBase, inputs: tuple[Tensor]) -> tuple[Tensor]:
        # All steps have the same shapes, so one is run: 256 of them through four LSTMs take seven
        # seconds on the meta device.
        steps[layer] = inputs[0].shape[1]
        return (inputs[0][:, :1],)  # (1, S, inputs) → (1, 1, inputs)

    def lengthen(layer: nn.RNNBase, inputs: tuple[Tensor], output: Any) -> Any:
        return output[0].expand(-1, steps[layer], -1), output[1]  # (1, 1, states) → (1, S, states)

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        shown = output[0] if isinstance(output, tuple) else output  # a recurrent layer: all states
        kind, parameters = _kind(module), count_parameters(module)
        if kind or parameters:
            rows.append(
                LayerRow(
                    name=names[module],
                    kind=kind or type(module).__name__,
                    output_shape=tuple(shown.shape[1:]),
                    parameters=parameters,
                    share=parameters / total,
                    multiply_adds=_multiply_adds(module, inputs, shown),
                )
            )

    steps: dict[nn.Module, int] = {}
    for module in names:
        if isinstance(module, nn.RNNBase):
            module.register_forward_pre_hook(shorten)
            module.register_forward_hook(lengthen)
        module.register_forward_hook(note)
    return rows


def _multiply_adds(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> int:
    """For a batch of one image."""
    match module:
        case nn.Conv2d() | nn.Linear():  # every number put out is one product with a row of weights
            return output.numel() * module.weight[0].numel()
        case nn.RNNBase():  # in every step each matrix of each gate is used once
            matrices = [weight for name, weight in module.named_parameters() if "weight" in name]
            return output.shape[1] * sum(weight.numel() for weight in matrices)
        case Mix():  # QKᵀ, then the weights times V, over T tokens each
            return 2 * output.numel() * inputs[0].shape[2]
    return 0


def _kind(module: nn.Module) -> str:
    """What a layer is, for a person; empty for what is not worth a row of its own."""
    match module:
        case nn.Conv2d(kernel_size=(height, width)):
            return f"convolution {height}×{width}"
        case nn.MaxPool2d(kernel_size=size):
            return f"max pooling {size}×{size}"
        case nn.AvgPool2d(kernel_size=size):
            return f"average pooling {size}×{size}"
        case nn.Dropout(p=share):
            return f"dropout {share:g}" if share else ""
        case nn.Dropout2d(p=share):
            return f"channel dropout {share:g}" if share else ""
        case DropPath(p=share):
            return f"stochastic depth {share:.2g}" if share else ""
        case nn.LSTM() | nn.GRU() | nn.RNN():
            cell = "tanh" if isinstance(module, nn.RNN) else type(module).__name__
            return f"{cell}, both directions" if module.bidirectional else cell
    return _KINDS.get(type(module), "")


_KINDS: dict[type[nn.Module], str] = {
    nn.BatchNorm2d: "batch norm",
    nn.LayerNorm: "layer norm",
    nn.Flatten: "flatten",
    nn.Linear: "dense",
    Positions: "learned positions",
    Mix: "attention",
}
