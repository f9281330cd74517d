"""Operations that cut an image to another size, or into tiles, and bring it back to its own size.

Kornia's crop, padding and resizing leave images of another size, for a whole batch at once. Images keep
their shape in here, so each class below adds the way back, and with it works on each image by itself.
"""

from __future__ import annotations

from typing import Any

import kornia.augmentation as K
import torch
from kornia.constants import Resample
from torch import Tensor
from torch.nn.functional import interpolate

from core.augment.entry import Drawn, OpEntry, Values, nothing
from core.augment.ops.geometry import RESAMPLE
from core.catalogue import Choice, Flag, Number


def resized(images: Tensor, side: int, resample: Resample) -> Tensor:
    """Square images (B, C, S, S) at another size. What shrinks is smoothed first, unless pixels are picked.

    Pixels are areas, as `align_corners=False` has it: the outer edges of the image stay where they are.
    """
    if resample == Resample.NEAREST:
        return interpolate(images, (side, side), mode="nearest-exact")
    return interpolate(images, (side, side), mode="bilinear", antialias=side < images.shape[-1])


def _scaling(images: Tensor, factor: float, start: float) -> Tensor:
    """Matrices (B, 3, 3) that scale pixel coordinates, and take the edge at ``start`` to the image's own."""
    matrix = torch.eye(3, device=images.device, dtype=images.dtype)
    matrix[0, 0] = matrix[1, 1] = factor
    # A pixel's centre lies half a pixel from its edge.
    matrix[0, 2] = matrix[1, 2] = factor * (0.5 - start) - 0.5
    return matrix.expand(len(images), 3, 3)


class EnlargedCrop(K.CenterCrop):
    """The middle ``size`` × ``size`` pixels, enlarged to the whole image."""

    def __init__(self, size: int, resample: str, p: float) -> None:
        super().__init__(size, resample=resample)
        self.p, self.same_on_batch = p, False

    def compute_transformation(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]
    ) -> Tensor:
        size, side = self.size[0], input.shape[-1]
        return _scaling(input, side / size, (side - size) // 2)

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        cropped = super().apply_transform(input, params, flags, transform)
        return resized(cropped, input.shape[-1], flags["resample"])


class ShrunkPad(K.PadTo):
    """The image on a larger canvas of ``size`` × ``size`` pixels, at its top left, shrunk to its own size."""

    def __init__(self, size: int, pad_mode: str, pad_value: float, p: float) -> None:
        # Only "constant" has a value; torch refuses another one for the rest.
        super().__init__((size, size), pad_mode, pad_value if pad_mode == "constant" else 0.0)
        self.p, self.same_on_batch = p, False
        self.flags["resample"] = Resample.BILINEAR

    def compute_transformation(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]
    ) -> Tensor:
        return _scaling(input, input.shape[-1] / flags["size"][0], 0)

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        padded = super().apply_transform(input, params, flags, transform)
        return resized(padded, input.shape[-1], flags["resample"])


class LowResolution(K.Resize):
    """The image made of ``size`` × ``size`` pixels, enlarged to its own size; nothing in it moves."""

    def __init__(self, size: int, resample: str, antialias: bool, p: float) -> None:
        super().__init__((size, size), resample=resample, align_corners=False, antialias=antialias)
        self.p, self.same_on_batch = p, False

    def compute_transformation(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]
    ) -> Tensor:
        return self.identity_matrix(input)

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        # Kornia's smoothing is a Gaussian blur of its own, ten times slower than the one built in here.
        small = interpolate(input, flags["size"], mode="bilinear", antialias=flags["antialias"])
        return resized(small, input.shape[-1], flags["resample"])

    def apply_transform_mask(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        return input


class Jigsaw(K.RandomJigsaw):
    """Tiles in a random order. What is over where the grid does not divide the side, fewer pixels than
    tiles in a row, stays as a border."""

    def forward(self, images: Tensor, params: dict[str, Tensor]) -> Tensor:  # type: ignore[override]
        side = images.shape[-1]
        over = side % self.flags["grid"][0]
        inside = slice(over // 2, over // 2 + side - over)
        after = images.clone()
        tiled: Any = super().forward(images[..., inside, inside], params=params)
        after[..., inside, inside] = tiled
        return after


def _describe_tiles(drawn: Drawn, i: int) -> Values:
    order = drawn["permutation"][i]
    grid = round(len(order) ** 0.5)
    # Kornia fills the places down each column, and counts the tiles along each row.
    at_home = torch.arange(len(order)).view(grid, grid).T.flatten()
    return (("tiles moved", f"{int((order != at_home).sum())} of {len(order)}"),)


def _jigsaw(grid: int, p: float) -> Any:  # Kornia counts it among those that mix images
    return Jigsaw((grid, grid), p=p, ensure_perm=grid > 1)


def _pixels(share: float, side: int, least: int = 2) -> int:
    return max(least, round(share * side))


SIZES = (
    OpEntry(
        name="CenterCrop",
        title="Centre crop",
        help="Cuts the middle out of the image and enlarges it to the whole size; always the same part.",
        source="kornia.augmentation.CenterCrop",
        group="geometric",
        parameters=(
            Number("size", 0.75, 0.2, 1, "How much of the side is kept.", "of the side", 0.05, neutral=1),
            RESAMPLE,
        ),
        build=lambda values, p, side: EnlargedCrop(_pixels(values["size"], side), values["resample"], p),
        describe=nothing,
        fits="Photographs whose subject is in the middle, and what is around it is not to be relied on.",
        can_lie="A small crop may leave out the very thing that the label names.",
    ),
    OpEntry(
        name="PadTo",
        title="Padding",
        help="Adds a border to the right and below, and shrinks the whole to the image's size.",
        source="kornia.augmentation.PadTo",
        group="geometric",
        parameters=(
            Number(
                "size", 1.25, 1, 2, "How large it gets before it is shrunk.", "× the side", 0.05, neutral=1
            ),
            Choice(
                "pad_mode",
                "constant",
                ("constant", "reflect", "replicate"),
                "What is added: one value, a mirror image, or the edge's pixels.",
            ),
            Number("pad_value", 0.0, 0, 1, "The value that is added: 0 is black, 1 white.", "", 0.05),
        ),
        # A mirror image has no second edge: one pixel less than the side.
        build=lambda values, p, side: ShrunkPad(
            min(_pixels(values["size"], side), 2 * side - 1), values["pad_mode"], values["pad_value"], p
        ),
        describe=nothing,
        fits="Things that will appear smaller, and not in the middle.",
    ),
    OpEntry(
        name="Resize",
        title="Low resolution",
        help="Shrinks the image and enlarges it again: its detail is lost, and nothing moves.",
        source="kornia.augmentation.Resize",
        group="intensity",
        parameters=(
            Number("size", 0.4, 0.1, 1, "How large it is in between.", "of the side", 0.05, neutral=1),
            Choice(
                "resample",
                "bilinear",
                ("bilinear", "nearest"),
                "How it is enlarged: smoothly, or in blocks.",
            ),
            Flag("antialias", True, "Whether it is smoothed before it is shrunk."),
        ),
        build=lambda values, p, side: LowResolution(
            _pixels(values["size"], side), values["resample"], values["antialias"], p
        ),
        describe=nothing,
        fits="Cameras far away, thumbnails, and images from mixed sources.",
        can_lie="At a few pixels a side, an 8 and a 3 are the same blot.",
    ),
    OpEntry(
        name="RandomJigsaw",
        title="Jigsaw",
        help="Cuts the image into tiles and puts them in a random order; the label stays. "
        "What the tiles leave over at the edge stays where it is.",
        source="kornia.augmentation.RandomJigsaw; Chen et al. 2019, DCL, CVPR",
        group="geometric",
        parameters=(
            Number(
                "grid", 2, 1, 8, "How many tiles there are across, and down.", "tiles", 1, True, neutral=1
            ),
        ),
        build=lambda values, p, side: _jigsaw(values["grid"], p),
        describe=_describe_tiles,
        fits="Textures, and fine details such as feathers, where the whole shape says too little.",
        can_lie="Shuffled strokes are no digit or letter any more, and an arrow falls apart.",
    ),
)
