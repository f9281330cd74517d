"""Images as data URIs, which a browser shows as they are."""

from __future__ import annotations

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

# From this side on JPEG, which is then 10 times faster and 4 times smaller than PNG; below it, where
# each pixel is seen and PNG costs 0.1 ms, PNG.
JPEG_FROM_SIDE = 96
_POOL = ThreadPoolExecutor(2, "pictures")


def encode_images(images: Tensor | NDArray[np.uint8]) -> list[str]:
    """Each image as a ``data:`` URI: PNG, exact, below 96 pixels; from there on JPEG at quality 85 with
    colour at half resolution (4:2:0), hardly seen at this size, and less
    to encode, to send and to decode.

    16 photographs of 224 × 224 took 6 to 9 ms on one core (medians of 20, at 4:4:4); two threads share
    them, as Pillow encodes outside the interpreter's lock.

    Args:
        images: uint8, (N, C, H, W), C is 1 or 3, on any device.
    """
    pixels = np.asarray(images if isinstance(images, np.ndarray) else images.cpu())
    assert pixels.dtype == np.uint8 and pixels.ndim == 4 and pixels.shape[1] in (1, 3)
    pixels = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))  # (N, H, W, C)
    if pixels.shape[3] == 1:
        pixels = pixels[..., 0]  # (N, H, W), which Pillow takes as grey
    encode = _jpeg if max(images.shape[2:]) >= JPEG_FROM_SIDE else _png
    return list(_POOL.map(encode, pixels))


def _png(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getbuffer()).decode()}"


def _jpeg(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85, subsampling=2)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getbuffer()).decode()}"
