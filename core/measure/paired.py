"""Two accuracies on the same images are compared image by image: what one of them loses and wins."""

from __future__ import annotations

import math

Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
HALVINGS = 30  # of [-1, 1]: the ends are right to 2e-9


def bits(right: object, images: int) -> int | None:
    """Which images are right, a bit each, from the hexadecimal text that runs keep; None: it is none of so
    many images. What is stored may be damaged."""
    if not isinstance(right, str):
        return None
    try:
        found = int.from_bytes(bytes.fromhex(right))
    except ValueError:
        return None
    return found if 4 * len(right) == 8 * -(-images // 8) and found.bit_count() <= images else None


def which(found: int, images: int) -> list[int]:
    """The places of the images whose bits are set in ``found``, as `bits` gives them of so many images."""
    last = 8 * -(-images // 8) - 1  # the first image has the highest bit
    return [i for i in range(images) if found >> (last - i) & 1]


def fall(lost: int, won: int, images: int) -> float:
    """By what share of the images the accuracy falls; below 0 it rises."""
    return (lost - won) / images


def fall_interval(lost: int, won: int, images: int) -> tuple[float, float]:
    """The 95 % interval of `fall`, as shares.

    It is the score interval of Tango 1998 (Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design, Statistics in Medicine 17): all falls that a test at 5 % does
    not reject. Intervals of the two accuracies, each for itself, would be several times as wide, for most
    images are right in both or wrong in both.

    Args:
        lost: images that were right before and are wrong now.
        won: the other way round.
        images: all of them, at least one.
    """
    found = fall(lost, won, images)

    def end(outside: float) -> float:
        inside = found
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            if abs(_score(lost, won, images, middle)) <= Z:
                inside = middle
            else:
                outside = middle
        return inside

    return end(-1.0), end(1.0)


def chance(lost: int, won: int) -> float:
    """How often two networks that are equally good would differ at least so unevenly: the exact, two-sided
    p-value of McNemar's test. Each image on which they differ is then a fair coin's throw.

    McNemar 1947, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12.
    """
    throws, term, tail = lost + won, 1, 1
    for k in range(min(lost, won)):
        term = term * (throws - k) // (k + 1)  # binomial(throws, k + 1)
        tail += term
    return min(1.0, 2 * tail / 2**throws)


def _score(lost: int, won: int, images: int, assumed: float) -> float:
    """How many standard errors lie between the fall that was found and an assumed one."""
    # The share of images that are won, at its likeliest if the fall is the assumed one: Tango's eq. 6.
    linear = (2 * images - lost + won) * assumed - lost - won
    constant = -won * assumed * (1 - assumed)
    share_won = (math.sqrt(linear**2 - 8 * images * constant) - linear) / (4 * images)
    variance = images * (2 * share_won + assumed * (1 - assumed))
    distance = lost - won - images * assumed
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)
