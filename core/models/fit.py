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
TOKENS = (
    ".attention.output.weight",
    ".fc2.weight",
)  # of a block: what it adds to the tokens, as wide as they


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
    kept = [f"{getattr(model, 'classifier', '')}.weight"]  # whose units are no matter of choice
    if isinstance(model, Attention):
        kept += ["embed.weight", *(key for key in own if key.endswith(TOKENS))]
    if any(shapes[key][0] != own[key][0] for key in kept if key in own):
        raise _refused()
    for name, module in model.named_modules():
        beneath = {
            key.removeprefix(f"{name}."): tuple(shape)
            for key, shape in shapes.items()
            if key.startswith(f"{name}.")
        }
        _check_whole(module, beneath)
        _fit(module, beneath)
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


def _check_whole(module: nn.Module, shapes: Shapes) -> None:
    """The parts of one module must fit to each other. torch does not always say so: one number of bias is
    spread over all units, and an LSTM's second direction is read past its end.

    Raises:
        SpecError: it does not.
    """
    match module:
        case nn.Conv2d() | nn.Linear() if "bias" in shapes:
            fits = shapes["bias"] == shapes["weight"][:1]
        case nn.BatchNorm2d():
            fits = all(shape in ((), shapes["weight"]) for shape in shapes.values())
        case nn.RNNBase():
            hidden, inputs = shapes["weight_hh_l0"][1], shapes["weight_ih_l0"][1]
            rows = len(module.weight_hh_l0) // module.hidden_size * hidden  # type: ignore[arg-type]
            wanted = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden)}
            names = [name for name, _ in module.named_parameters()]
            fits = all(shapes[name] == wanted.get(name[:9], (rows,)) for name in names)
        case SelfAttention():
            fits = shapes["qkv.weight"][0] % (3 * (module.output.in_features // module.heads)) == 0
        case _:
            return
    if not fits:
        raise _refused()


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
            module.hidden_size, module.input_size = shapes["weight_hh_l0"][1], shapes["weight_ih_l0"][1]
        case SelfAttention():
            size = module.output.in_features // module.heads
            module.heads = shapes["qkv.weight"][0] // (3 * size)
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
