"""What a network's weights weigh on disk: as they are, in a sparse format, and compressed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from torch import Tensor

VALUE_BYTES = 4  # float32
_GZIP_FORMAT = 31  # zlib's code for a gzip header and trailer, as in the file that gzip would write


def dense_bytes(parts: Sequence[Tensor]) -> int:
    """4 bytes a weight."""
    return VALUE_BYTES * sum(part.numel() for part in parts)


def sparse_bytes(parts: Sequence[Tensor], nonzero: Sequence[int]) -> int:
    """Compressed sparse rows: ``nnz·(4 + c) + (rows + 1)·p`` bytes a matrix (out, rest), with ``nonzero`` the
    nnz of each part.

    A value and a column's number for each weight that is not zero, and where each row begins. ``c`` and
    ``p`` are the fewest bytes, of 1, 2 and 4, in which the last column's number and ``nnz`` fit.
    """
    return sum(_rows_bytes(part.flatten(1), count) for part, count in zip(parts, nonzero, strict=True))


def _rows_bytes(matrix: Tensor, nonzero: int) -> int:
    rows, columns = matrix.shape
    return nonzero * (VALUE_BYTES + _whole_bytes(columns - 1)) + (rows + 1) * _whole_bytes(nonzero)


def _whole_bytes(largest: int) -> int:
    return int(np.min_scalar_type(largest).itemsize)


def gzip_bytes(parts: Sequence[Tensor]) -> int:
    """The dense bytes of each part as a gzip file. Only what repeats gets smaller, and a weight's 32 bits
    don't, unless it is zero.

    zlib looks for runs alone (RFC 1951 with distance 1), for there is nothing else to find; that takes a
    third of the time (docs/LOG.md).
    """
    return sum(len(gzipped(part)) for part in parts)


def gzipped(part: Tensor) -> bytes:
    """A gzip file of ``part``'s values as float32, in C order whatever its strides; -0.0 as 0.0."""
    compressor = zlib.compressobj(wbits=_GZIP_FORMAT, strategy=zlib.Z_RLE)
    content = part.detach().float().add(0.0).cpu().numpy().tobytes()
    return compressor.compress(content) + compressor.flush()
