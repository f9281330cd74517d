"""The text of a few lines that make a network as small as its weights, for where there is no Augury."""

from __future__ import annotations

from collections.abc import Iterable

from core.layers.quantise import RANGE
from core.models.build import shape_of_model
from core.models.fit import shapes_of
from core.run.errors import SpecError
from core.run.spec import ModelSpec
from core.train.session import Session

# Layers take the widths that the weights have; blocks that they do not have are taken out.
_FIT = """for name, module in list(NETWORK.named_children()):
    if [*module.parameters()] and not any(key.startswith(name + ".") for key in WEIGHTS):
        delattr(NETWORK, name)  # a block that was taken out
        NETWORK.blocks = [block for block in NETWORK.blocks if block is not module]
for name, module in NETWORK.named_modules():
    if hasattr(module, "heads"):
        module.heads = len(WEIGHTS[name + ".qkv.weight"]) * module.heads // len(module.qkv.weight)
    for key, _ in list(module.named_parameters(recurse=False)):
        setattr(module, key, torch.nn.Parameter(WEIGHTS[f"{name}.{key}"].clone()))
    for key, _ in list(module.named_buffers(recurse=False)):
        setattr(module, key, WEIGHTS[f"{name}.{key}"].clone())
    if isinstance(module, torch.nn.RNNBase):
        module.hidden_size, module.input_size = (
            getattr(module, which).shape[1] for which in ("weight_hh_l0", "weight_ih_l0")
        )
        module.flatten_parameters()
"""


def fitting(network: str = "network", weights: str = "weights") -> str:
    """The lines; ``network`` and ``weights`` are the names of the two there."""
    return _FIT.replace("NETWORK", network).replace("WEIGHTS", weights)


def is_smaller(session: Session, model: ModelSpec) -> bool:
    """Whether a session's network has fewer units than a completed spec would build."""
    kept = session.validation
    sizes = {"channels": kept.channels, "side": kept.side, "num_classes": len(kept.classes)}
    built = shape_of_model(model, **sizes)
    return shapes_of(session.model.state_dict()) != shapes_of(built.state_dict())


def check_plain(names: Iterable[str]) -> None:
    """Whether a network of tensors with these names does no more than its architecture's module.

    Raises:
        SpecError: it does.
    """
    if any(name.endswith(RANGE) for name in names):
        what = "its layers quantise what they hear, which the plain module does not; take it as ONNX."
        raise SpecError("", what)
