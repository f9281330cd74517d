"""Data URIs are decoded again with Pillow and compared with the pixels they were made from."""

from __future__ import annotations

import base64
import io

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import Tensor

from core.pictures import encode_images


def decoded(uri: str) -> tuple[str, Tensor]:
    """The file's format, and its pixels (C, H, W), read byte by byte rather than through numpy."""
    head, _, body = uri.partition(";base64,")
    image = Image.open(io.BytesIO(base64.b64decode(body, validate=True)))
    assert head == f"data:{image.get_format_mimetype()}"
    height, width, channels = image.height, image.width, len(image.getbands())
    flat = torch.tensor(list(image.tobytes()), dtype=torch.uint8)
    return str(image.format), flat.reshape(height, width, channels).permute(2, 0, 1)  # (C, H, W)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 5), st.sampled_from([1, 3]), st.integers(1, 40), st.integers(0, 2**31))
def test_small_images_come_back_exactly(count: int, channels: int, side: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, side, side)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    uris = encode_images(images)
    assert len(uris) == count
    for uri, image in zip(uris, images, strict=True):
        kind, pixels = decoded(uri)
        assert kind == "PNG"
        assert torch.equal(pixels, image)


@pytest.mark.parametrize("grey", [False, True])
def test_photographs_come_back_nearly(grey: bool) -> None:
    # A copy: the library's own array is read-only.
    photograph = torch.tensor(load_sample_image("flower.jpg")).permute(2, 0, 1)[:, 100:324, 200:424]
    images = photograph[None, :1] if grey else photograph[None]
    kind, pixels = decoded(encode_images(images)[0])
    assert kind == "JPEG"
    assert pixels.shape == images[0].shape
    error = (pixels.float() - images[0].float()).square().mean().sqrt()
    assert error < 9  # of 255: 29 dB; a flower has the most saturated edges there are


def test_the_format_changes_at_96_pixels() -> None:
    kinds = [
        decoded(encode_images(torch.zeros(1, 3, side, side, dtype=torch.uint8))[0])[0] for side in (95, 96)
    ]
    assert kinds == ["PNG", "JPEG"]
