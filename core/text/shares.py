"""Counted shares in words: never a percentage without what it is of."""

from __future__ import annotations

from core.measure.counted import difference, wilson


def percent(share: float) -> str:
    """E.g. ``88.9 %``, for where what it is of stands beside it."""
    return f"{100 * share:.1f} %"


def in_full(share: float, of: int | None) -> str:
    """E.g. ``88.9 % (16 of 18; 67–97)``: a share, how many of how many, and its 95 % interval (Wilson).

    Args:
        of: None: that was not kept.
    """
    if not of:
        return f"{percent(share)} (of how many was not kept)"
    return f"{percent(share)} ({counted(share, of).removesuffix(' %')})"


def counted(share: float, of: int) -> str:
    """E.g. ``16 of 18; 67–97 %``, the 95 % interval: what stands beside the share itself.

    Args:
        share: that many of the ``of`` images, in [0, 1].
    """
    count = min(max(round(share * of), 0), of)  # a stored share may be damaged
    low, high = wilson(count, of)
    return f"{count:,} of {of:,}; {_range(100 * low, 100 * high)} %"


def gap(share: float, of: int, other: float, other_of: int) -> tuple[str, str]:
    """The first share less the second in points, e.g. ``+8.2``, and its 95 % interval, ``5.1 to 11.2``;
    with a minus sign and no hyphen."""
    share, other = min(max(share, 0.0), 1.0), min(max(other, 0.0), 1.0)
    low, high = difference(round(share * of), of, round(other * other_of), other_of)
    found, ends = f"{100 * (share - other):+.1f}", f"{100 * low:.1f} to {100 * high:.1f}"
    return found.replace("-", "−"), ends.replace("-", "−")


def _range(low: float, high: float) -> str:
    """In whole per cent, or with as many digits as tell its ends apart."""
    digits = 0 if high - low >= 2 else 1
    return f"{low:.{digits}f}–{high:.{digits}f}"
