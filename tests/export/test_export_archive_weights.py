"""Weights in an archive are read as the safetensors library reads them, or not at all."""

from __future__ import annotations

import copy
import json
import pickle
import random
import struct

import pytest
from safetensors import SafetensorError, safe_open

from core.export.archive.weights import WeightsHead
from core.run.errors import SpecError
from tests.export.archives import (
    files_of,
    refused,
    sealed,
    zipped,
)


def head_of(content: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def weights_with(head: object, numbers: bytes) -> bytes:
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def test_weights_are_read_as_the_safetensors_library_reads_them(place, original):
    """What is taken here the library opens too, with the same names, types and shapes."""
    content = files_of(original[0])["1/weights.safetensors"]
    rng, taken, path = random.Random(0), 0, place / "w.safetensors"
    for i in range(400):
        made = bytearray(content)
        if i:
            for _ in range(rng.choice((1, 1, 2, 4))):
                at = rng.randrange(8 + 400)
                made[at] = rng.choice((rng.randrange(256), *b'0123456789{}[],:" '))
        if i % 5 == 4:
            made = made[: rng.randrange(len(made))]
        head = WeightsHead()
        for start in range(0, len(made), 1000):
            head.take(bytes(made[start : start + 1000]))
        try:
            found = head.tensors()
        except SpecError:
            continue
        taken += 1
        path.write_bytes(made)
        with safe_open(path, "np") as opened:
            theirs = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
            assert {name: (each.dtype, each.shape) for name, each in found.items()} == {
                name: (each.get_dtype(), tuple(each.get_shape())) for name, each in theirs.items()
            }
    assert 20 < taken < 400


def two(numbers: int, *places: tuple[int, int]) -> dict:
    """The head of two tensors that lie at these places."""
    each = {"dtype": "F32", "shape": [numbers]}
    return {name: each | {"data_offsets": list(at)} for name, at in zip("ab", places, strict=True)}


def test_weights_that_are_none_are_refused(place, store, original):
    files = files_of(original[0])
    head, numbers = head_of(files["1/weights.safetensors"])
    other = copy.deepcopy(head)
    first = next(name for name in head if name != "__metadata__")
    other[first]["shape"] = [10**9, 10**9]
    longer = copy.deepcopy(head)
    longer[first]["data_offsets"][1] += 4
    for content in (
        b"", b"\x80\x04}.", pickle.dumps([1]), b"PK\x03\x04", bytes(100), b"\xff" * 100,
        weights_with(other, numbers), weights_with(longer, numbers), weights_with([], numbers),
        weights_with(head, numbers[:-4]), weights_with(head, numbers + b"more"),
        weights_with({**head, "__metadata__": {"x": {}}}, numbers),
        struct.pack("<Q", 2**63) + b"{}",
        weights_with(two(2, (0, 8), (4, 12)), bytes(12)), weights_with(two(1, (0, 4), (8, 12)), bytes(12)),
    ):  # fmt: skip
        with pytest.raises((SafetensorError, AssertionError)):
            (place / "w.safetensors").write_bytes(content)
            with safe_open(place / "w.safetensors", "np") as opened:
                assert sum(opened.get_tensor(name).size for name in opened.keys()) > 0  # noqa: SIM118
        made = zipped(sealed(files | {"1/weights.safetensors": content}))
        assert "no safetensors file" in refused(place, store, made)
    made = zipped(sealed(files | {"1/weights.safetensors": weights_with({}, b"")}))
    assert "0 numbers" in refused(place, store, made)
