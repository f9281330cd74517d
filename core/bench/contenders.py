"""Four ways to augment a batch, each as its users write it.

All start from the same bytes and end alike: float32 (B, C, S, S) in [0, 1] on the CPU, every image with
draws of its own. Each function takes completed operations and uint8 ``images`` (B, C, S, S), prepares
what a data set would hold in memory, and returns what makes the batch of a step.

albumentations and the Pillow loop round to 8 bits after each operation on pixels, as they do in use.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from random import Random
from typing import Any

import numpy as np
import torch
from kornia.augmentation import AugmentationSequential
from PIL import Image, ImageFilter
from torch import Tensor

from core.augment.catalogue import OPERATIONS
from core.augment.pipeline import Pipeline, built
from core.run.spec import AugmentSpec, OpSpec

Batch = Callable[[int], Tensor]
Build = Callable[[Sequence[OpSpec], Tensor], Batch]


def ours(ops: Sequence[OpSpec], images: Tensor) -> Batch:
    """What training runs."""
    spec = AugmentSpec(ops=tuple(ops))
    pipeline = Pipeline(spec, channels=images.shape[1], side=images.shape[-1], seed=0)
    return lambda step: pipeline(images.float().div_(255), step)


def kornia(ops: Sequence[OpSpec], images: Tensor) -> Batch:
    """The same Kornia modules, made by the same constructors, in Kornia's own container."""
    side = images.shape[-1]
    modules = [built(OPERATIONS[op.op], op.params, _p(op), side) for op in ops]
    chain = AugmentationSequential(*modules, data_keys=["input"])

    @torch.no_grad()
    def batch(step: int) -> Tensor:
        after: Tensor = chain(images.float().div_(255))
        return after.clamp_(0, 1)

    return batch


def albumentations(ops: Sequence[OpSpec], images: Tensor) -> Batch:
    """An image at a time in 8 bits, which OpenCV is fastest at; one conversion to floats for the batch."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else its import asks the network for a newer one
    library = import_module("albumentations")
    import_module("cv2").setNumThreads(torch.get_num_threads())
    compose = library.Compose(_albumentations_steps(library, ops, images.shape[-1]), seed=0)
    pixels = list(images.permute(0, 2, 3, 1).contiguous().numpy())  # each (S, S, C)

    def batch(step: int) -> Tensor:
        after = np.stack([compose(image=each)["image"] for each in pixels])
        return torch.from_numpy(after).permute(0, 3, 1, 2).float().div_(255)

    return batch


def pillow(ops: Sequence[OpSpec], images: Tensor) -> Batch:
    """An image at a time as torchvision does it: Pillow moves pixels, tensors take what Pillow lacks."""
    draws = Random(0)
    steps = [(_p(op), _PILLOW[op.op](_values(op), draws)) for op in ops]
    arrays = images.permute(0, 2, 3, 1).numpy()
    pictures = [Image.fromarray(each[..., 0] if each.shape[-1] == 1 else each) for each in arrays]

    def transform(picture: Image.Image | Tensor) -> Tensor:
        for p, step in steps:
            if draws.random() < p:
                picture = step(picture)
        return _as_tensor(picture)

    return lambda step: torch.stack([transform(picture) for picture in pictures])


CONTENDERS: dict[str, Build] = {
    "ours": ours,
    "Kornia": kornia,
    "albumentations": albumentations,
    "Pillow": pillow,
}


def installed() -> list[str]:
    """The contenders that can run here, ours first."""
    return [name for name in CONTENDERS if name != "albumentations" or find_spec(name)]


def _values(op: OpSpec) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in op.params.items()}


def _p(op: OpSpec) -> float:
    assert op.p is not None, "the operation is completed"
    return op.p


def _albumentations_steps(library: Any, ops: Sequence[OpSpec], side: int) -> list[Any]:
    if [op.op for op in ops] == ["RandomContrast", "RandomBrightness"]:  # one operation there: one pass
        contrast, brightness = (_values(op) for op in ops)
        limits = _around_1(brightness["brightness"]), _around_1(contrast["contrast"])
        return [library.RandomBrightnessContrast(*limits, p=_p(ops[0]))]
    return [_ALBUMENTATIONS[op.op](library, _values(op), _p(op), side) for op in ops]


def _around_1(limits: tuple[float, float]) -> tuple[float, float]:
    return limits[0] - 1, limits[1] - 1


_ALBUMENTATIONS: dict[str, Callable[[Any, dict[str, Any], float, int], Any]] = {
    "RandomHorizontalFlip": lambda lib, v, p, side: lib.HorizontalFlip(p=p),
    "RandomRotation": lambda lib, v, p, side: lib.Rotate(v["degrees"], p=p),
    "RandomAffine": lambda lib, v, p, side: lib.Affine(
        rotate=v["degrees"],
        translate_percent=(-v["translate"], v["translate"]),
        scale=v["scale"],
        shear={"x": v["shear"], "y": 0},
        keep_ratio=True,
        p=p,
    ),
    "RandomTranslate": lambda lib, v, p, side: lib.Affine(
        translate_percent={"x": v["translate_x"], "y": v["translate_y"]}, p=p
    ),
    "RandomShear": lambda lib, v, p, side: lib.Affine(shear={"x": v["shear"], "y": 0}, p=p),
    "RandomErasing": lambda lib, v, p, side: lib.Erasing(
        v["scale"], v["ratio"], round(255 * v["value"]), p=p
    ),
    "RandomGaussianNoise": lambda lib, v, p, side: lib.GaussNoise((v["std"],) * 2, (v["mean"],) * 2, p=p),
    "RandomGaussianBlur": lambda lib, v, p, side: lib.GaussianBlur(0, v["sigma"], p=p),
    "RandomResizedCrop": lambda lib, v, p, side: lib.RandomResizedCrop(
        (side, side), v["scale"], v["ratio"], p=p
    ),
}


def _as_tensor(picture: Image.Image | Tensor) -> Tensor:
    """float32 (C, S, S) in [0, 1]; a tensor is returned as it is."""
    if isinstance(picture, Tensor):
        return picture
    pixels = torch.from_numpy(np.array(picture)).view(picture.height, picture.width, -1)
    return pixels.permute(2, 0, 1).float().div_(255)


def _warped(
    picture: Image.Image,
    degrees: float = 0,
    shift: tuple[float, float] = (0, 0),
    scale: float = 1,
    shear: float = 0,
) -> Image.Image:
    """Leant (top to the right), scaled and turned counter-clockwise about its centre; then shifted by shares
    of its side. Pillow wants the way back: from a pixel of the result to where it comes from.
    """
    cos, sin = math.cos(math.radians(degrees)) / scale, -math.sin(math.radians(degrees)) / scale
    lean = math.tan(math.radians(shear))
    side, center = picture.width, picture.width / 2
    a, b, d, e = cos - lean * sin, sin + lean * cos, -sin, cos
    x, y = center + shift[0] * side, center + shift[1] * side  # where the centre lands
    matrix = (a, b, center - a * x - b * y, d, e, center - d * x - e * y)
    return picture.transform(picture.size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR)


def _box(v: dict[str, Any], side: int, draws: Random) -> tuple[int, int, int, int]:
    """Left, top, width and height of a rectangle with an area and a ratio of its sides drawn from ``v``."""
    area = draws.uniform(*v["scale"]) * side * side
    stretch = math.sqrt(math.exp(draws.uniform(*map(math.log, v["ratio"]))))
    width, height = (min(side, max(1, round(math.sqrt(area) * by))) for by in (stretch, 1 / stretch))
    return draws.randint(0, side - width), draws.randint(0, side - height), width, height


def _pillow_affine(v: dict[str, Any], draws: Random) -> Callable[[Any], Any]:
    limit = v["translate"]
    return lambda picture: _warped(
        picture,
        draws.uniform(*v["degrees"]),
        (draws.uniform(-limit, limit), draws.uniform(-limit, limit)),
        draws.uniform(*v["scale"]),
        draws.uniform(*v["shear"]),
    )


def _pillow_erasing(v: dict[str, Any], draws: Random) -> Callable[[Any], Any]:
    def erase(picture: Image.Image | Tensor) -> Tensor:
        image = _as_tensor(picture).clone()
        left, top, width, height = _box(v, image.shape[-1], draws)
        image[:, top : top + height, left : left + width] = v["value"]
        return image

    return erase


def _pillow_noise(v: dict[str, Any], draws: Random) -> Callable[[Any], Any]:
    def add(picture: Image.Image | Tensor) -> Tensor:
        image = _as_tensor(picture)
        return torch.randn(image.shape).mul_(v["std"]).add_(image + v["mean"]).clamp_(0, 1)

    return add


def _pillow_crop(v: dict[str, Any], draws: Random) -> Callable[[Any], Any]:
    def crop(picture: Image.Image) -> Image.Image:
        left, top, width, height = _box(v, picture.width, draws)
        box = (left, top, left + width, top + height)
        return picture.resize(picture.size, Image.Resampling.BILINEAR, box)

    return crop


_PILLOW: dict[str, Callable[[dict[str, Any], Random], Callable[[Any], Any]]] = {
    "RandomHorizontalFlip": lambda v, draws: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "RandomRotation": lambda v, draws: (
        lambda image: image.rotate(draws.uniform(*v["degrees"]), Image.Resampling.BILINEAR)
    ),
    "RandomAffine": _pillow_affine,
    "RandomTranslate": lambda v, draws: (
        lambda image: _warped(
            image, shift=(draws.uniform(*v["translate_x"]), draws.uniform(*v["translate_y"]))
        )
    ),
    "RandomShear": lambda v, draws: lambda image: _warped(image, shear=draws.uniform(*v["shear"])),
    "RandomErasing": _pillow_erasing,
    "RandomGaussianNoise": _pillow_noise,
    "RandomContrast": lambda v, draws: (
        lambda image: _as_tensor(image).mul(draws.uniform(*v["contrast"])).clamp_(0, 1)
    ),
    "RandomBrightness": lambda v, draws: (
        lambda image: _as_tensor(image).add(draws.uniform(*v["brightness"]) - 1).clamp_(0, 1)
    ),
    "RandomGaussianBlur": lambda v, draws: (
        lambda image: image.filter(ImageFilter.GaussianBlur(draws.uniform(*v["sigma"])))
    ),
    "RandomResizedCrop": _pillow_crop,
}
