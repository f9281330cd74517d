"""A network as small as its weights say: what was pruned has fewer units than its spec would build.

No spec says how many units each layer has left: the weights do. Whoever loads weights first makes the network
that the spec would build fit to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from core.layers.quantise import restore_inputs
from core.models.attention import Attention, SelfAttention
from core.run.errors import SpecError

Shapes = Mapping[str, Sequence[int]]


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def fit_to(model: nn.Module, shapes: Shapes, *, channels: int, side: int) -> None:
    """Make ``model`` as small as ``shapes`` say, in place; what its weights are then is not said. Nothing is
    done where they are those it has. Layers of which they have a range quantise what they hear.

    Args:
        model: one of this package's, as its spec builds it.
        shapes: of a state dict.
        channels, side: of the images.

    Raises:
        SpecError: they are of no network that could be made of this one by taking units out.
    """
    restore_inputs(model, shapes)
    own = shapes_of(model.state_dict())
    if own == {name: tuple(shape) for name, shape in shapes.items()}:
        return
    if isinstance(model, Attention):
        _leave_out_blocks(model, shapes)
        own = shapes_of(model.state_dict())
    if own.keys() != shapes.keys():
        raise _refused()
    for name, shape in shapes.items():
        fits = len(shape) == len(own[name]) and tuple(shape[2:]) == own[name][2:]  # a kernel is whole
        if not fits or not all(0 < a <= b for a, b in zip(shape, own[name], strict=True)):
            raise _refused()
    classifier = f"{getattr(model, 'classifier', '')}.weight"
    if shapes[classifier][0] != own[classifier][0]:
        raise _refused()
    for name, module in model.named_modules():
        _fit(module, {key.removeprefix(f"{name}."): tuple(shape) for key, shape in shapes.items()
                      if key.startswith(f"{name}.")})  # fmt: skip
    if shapes_of(model.state_dict()) != {name: tuple(shape) for name, shape in shapes.items()}:
        raise _refused()
    try:  # whether what one layer gives is what the next takes
        mode = model.training
        with torch.no_grad():
            like = next(model.parameters())
            model.eval()(torch.zeros(1, channels, side, side, device=like.device))
        model.train(mode)
    except (RuntimeError, ValueError):
        raise _refused() from None


def _refused() -> SpecError:
    return SpecError(
        "", "The run's weights can't be read; train once more on these images: they are of another network."
    )


def _leave_out_blocks(model: Attention, shapes: Shapes) -> None:
    kept = []
    for name, block in list(model.named_children()):
        if block not in model.blocks:
            continue
        if any(key.startswith(f"{name}.") for key in shapes):
            kept.append(block)
        else:
            delattr(model, name)
    model.blocks = kept


def _fit(module: nn.Module, shapes: Shapes) -> None:
    """One module, by the shapes of what is beneath it."""
    match module:
        case nn.Conv2d():
            module.out_channels, module.in_channels = shapes["weight"][:2]
        case nn.Linear():
            module.out_features, module.in_features = shapes["weight"]
        case nn.BatchNorm2d():
            module.num_features = shapes["weight"][0]
        case nn.RNNBase():
            rows = len(module.weight_hh_l0)  # type: ignore[arg-type]
            gates = rows // module.hidden_size
            hidden, module.input_size = shapes["weight_hh_l0"][1], shapes["weight_ih_l0"][1]
            if any(shapes[each][0] != gates * hidden for each in shapes):
                raise _refused()
            module.hidden_size = hidden
        case SelfAttention():
            size = module.output.in_features // module.heads
            rows = shapes["qkv.weight"][0]
            if rows % (3 * size):
                raise _refused()
            module.heads = rows // (3 * size)
            return  # its layers come by themselves
        case _:
            return
    for name in [name for name, _ in module.named_parameters(recurse=False)]:
        _put(module, name, shapes[name])
    for name, buffer in list(module.named_buffers(recurse=False)):
        setattr(module, name, buffer.new_zeros(shapes[name]))
    if isinstance(module, nn.RNNBase):
        module.flatten_parameters()


def _put(module: nn.Module, name: str, shape: Sequence[int]) -> None:
    before = getattr(module, name)
    weight = before.detach().new_zeros(tuple(shape))
    if weight.ndim == 4:
        weight = weight.contiguous(memory_format=torch.channels_last)
    setattr(module, name, nn.Parameter(weight, requires_grad=before.requires_grad))
