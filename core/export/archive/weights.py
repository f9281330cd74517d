"""Whether a file of weights is one, read from its head, without torch; the numbers are not looked at.

The form is https://github.com/huggingface/safetensors#format: eight bytes for the length of the head, a JSON
object that says of every tensor its type, its shape and where it lies, and the numbers.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any, NamedTuple

from core.catalogue import completed_params
from core.data.shape import image_shape
from core.export.archive.form import MB, refused
from core.models.catalogue import ARCHITECTURES
from core.run.spec import RunSpec

MAX_HEAD_BYTES = 1 * MB
MAX_TENSORS = 10_000
MAX_DIMENSIONS = 8
WIDTHS = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8}  # bytes of a number; a run saves no other types
# Not parameters: of batch norms, and of layers whose inputs are quantised.
BUFFERS = ("running_mean", "running_var", "num_batches_tracked", "input_range", "input_bits")


class TensorHead(NamedTuple):
    dtype: str
    shape: tuple[int, ...]

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


class WeightsHead:
    """Takes a file piece by piece; `tensors` says what it holds, once it was given whole."""

    def __init__(self) -> None:
        self._begin = b""
        self._size = 0

    def take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if len(self._begin) < 8 + MAX_HEAD_BYTES:
            self._begin += chunk[: 8 + MAX_HEAD_BYTES - len(self._begin)]

    def tensors(self) -> dict[str, TensorHead]:
        """By name.

        Raises:
            SpecError: it is no safetensors file.
        """
        try:
            return _tensors(self._begin, self._size)
        except (ValueError, TypeError, LookupError, RecursionError, struct.error) as error:
            raise refused(f"its weights are no safetensors file ({str(error)[:80]})") from None


def check_network(tensors: dict[str, TensorHead], spec: RunSpec, num_classes: int, *, told: int) -> None:
    """Whether these can be the weights of a spec's network: they are as many numbers; or fewer, if units have
    been taken out of it, and then as many as the run has said.

    Args:
        spec: completed.
        told: how many numbers the run has learnt, by what it said when it began.

    Raises:
        SpecError: they can't be.
    """
    entry = ARCHITECTURES[spec.model.arch]
    params = completed_params(entry, spec.model.params, "model.params")
    shape = image_shape(spec.data)
    wanted = entry.count_parameters(params, shape.channels, shape.side, num_classes)
    there = sum(each.numbers for name, each in tensors.items() if name.rpartition(".")[2] not in BUFFERS)
    if there != wanted and not there == told < wanted:
        raise refused(f"its weights are {there:,} numbers, and the network of its spec has {wanted:,}")


def _tensors(begin: bytes, size: int) -> dict[str, TensorHead]:
    (length,) = struct.unpack("<Q", begin[:8])
    if not 2 <= length <= MAX_HEAD_BYTES or 8 + length > size:
        raise ValueError("its head is too long")
    head = json.loads(begin[8 : 8 + length].decode("utf-8"), object_pairs_hook=_once)
    if begin[8:9] != b"{" or not isinstance(head, dict):
        raise ValueError("its head is no object")
    metadata = head.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata are no texts")
    if len(head) > MAX_TENSORS:
        raise ValueError("it has too many tensors")
    found, places = {}, []
    for name, each in head.items():
        if not isinstance(each, dict) or set(each) != {"dtype", "shape", "data_offsets"}:
            raise ValueError("it does not say what a tensor is")
        tensor = TensorHead(str(each["dtype"]), tuple(_whole(n) for n in each["shape"]))
        begins, ends = (_whole(n) for n in each["data_offsets"])
        if len(tensor.shape) > MAX_DIMENSIONS or ends - begins != tensor.numbers * WIDTHS[tensor.dtype]:
            raise ValueError("a tensor is not as long as its shape")
        found[name] = tensor
        places.append((begins, ends))
    at = 0
    for begins, ends in sorted(places):
        if begins != at:
            raise ValueError("tensors overlap, or there is a gap between them")
        at = ends
    if 8 + length + at != size:
        raise ValueError("it is not as long as its tensors")
    return found


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**48:
        raise ValueError("a size is no whole number")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it says something twice")
    return found
