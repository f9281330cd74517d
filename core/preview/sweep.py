"""A filmstrip: one parameter of one operation from its low to its high bound, everything else held.

Random numbers are counted, not run (`core.augment.pipeline`), so every frame makes the very same draws:
what changes from frame to frame is the parameter alone.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from core.augment.catalogue import OPERATIONS
from core.augment.one_operation import alone
from core.catalogue import Choice, Flag, Integers, Number, Parameter, Range
from core.preview.results import preview
from core.run.spec import AugmentSpec

Value = bool | int | float | str


class Frame(NamedTuple):
    """The parameter's value with its unit, for people, and the uint8 image (C, S, S) that it makes."""

    label: str
    image: Tensor


def sweep(
    spec: AugmentSpec,
    i: int,
    parameter: str,
    image: Tensor,
    *,
    steps: int = 8,
    seed: int,
    step: int,
    whole: bool = False,
) -> list[Frame]:
    """What operation ``i`` makes of uint8 ``image`` (C, S, S), by value of one of its parameters.

    Each frame is what `preview` gives for this image at that value, at the pipeline's strength: of a range
    both ends, so that it is the value drawn. The operation runs whatever its p, or ``enabled``, is.

    Args:
        parameter: its name.
        steps: how many frames, 2 or more; fewer where there are fewer values.
        whole: with the pipeline's other operations around it, at their own p and all of them, whatever
            `choose` is; else alone.

    Raises:
        SpecError: an operation is unknown, out of bounds, or needs colour and the image is grey.
    """
    swept = spec.ops[i].model_copy(update={"p": 1.0, "enabled": True})
    known = next(each for each in OPERATIONS[swept.op].parameters if each.name == parameter)
    frames = []
    for value in values(known, steps):
        setting = [value, value] if isinstance(known, Range) else value
        op = swept.model_copy(update={"params": {**swept.params, parameter: setting}})
        ops = (*spec.ops[:i], op, *spec.ops[i + 1 :])
        changed = (
            spec.model_copy(update={"ops": ops, "choose": None, "mix": None}) if whole else alone(spec, op)
        )
        result = preview(changed, image[None], seed=seed, step=step, device="cpu").results[0]
        frames.append(Frame(label(known, value), result))
    return frames


def values(parameter: Parameter, steps: int) -> list[Value]:
    """``steps`` values from low to high bound, both exactly, as a slider spaces them; whole numbers are
    not repeated. Of a choice or a flag, every option."""
    assert not isinstance(parameter, Integers), "no operation has a list of numbers to sweep"
    match parameter:
        case Flag():
            return [False, True]
        case Choice():
            return list(parameter.options)
    low, high = parameter.low, parameter.high
    shares = [k / (steps - 1) for k in range(1, steps - 1)]
    if isinstance(parameter, Number) and parameter.scale == "log":
        between = [low * (high / low) ** share for share in shares]
    else:
        between = [round(low + (high - low) * share, 6) for share in shares]
    if parameter.integer:
        return list(dict.fromkeys(round(value) for value in (low, *between, high)))
    return [float(value) for value in (low, *between, high)]


def label(parameter: Parameter, value: Value) -> str:
    """``value`` as it is written with the parameter's unit: ``−15°``, ``×1.2``, ``0.1 of the side``."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = value if isinstance(value, str) else f"{value:.3g}".replace("-", "−")
    match parameter.unit:
        case "":
            return text
        case "°":
            return f"{text}°"
        case "×":
            return f"×{text}"
        case unit:
            return f"{text} {unit}"
