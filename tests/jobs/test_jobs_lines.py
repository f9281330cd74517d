"""Thinned lines against the whole line they stand for."""

import math
import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from core.run.lines import ThinnedLine

values = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=300)


def thinned(ys, max_points=500):
    line = ThinnedLine(max_points)
    for i, y in enumerate(ys):
        line.add(float(i), y)
    return line.line()


@settings(max_examples=50)
@given(values, st.integers(6, 60))
def test_keeps_ends_and_extremes_within_the_bound(ys, max_points):
    x, y = thinned(ys, max_points)
    assert 1 <= len(x) == len(y) <= max_points
    assert all(ys[int(i)] == value for i, value in zip(x, y, strict=True))  # real points
    assert list(x) == sorted(set(x))  # in order, none twice
    assert (x[0], x[-1]) == (0.0, len(ys) - 1.0)
    assert (min(y), max(y)) == (min(ys), max(ys))


def test_a_hundred_thousand_points_with_spikes():
    noise = random.Random(1)
    ys = [math.sin(i / 5000) + noise.random() / 10 for i in range(100_000)]
    ys[31_415], ys[77_777] = 50.0, -50.0
    x, y = thinned(ys)
    assert 240 <= len(x) <= 500
    assert (31_415.0, 50.0) in zip(x, y, strict=True)
    assert (77_777.0, -50.0) in zip(x, y, strict=True)
    assert max(b - a for a, b in pairwise(x)) < 2 * 100_000 / 124  # evenly spread


def test_a_short_line_is_kept_whole_and_an_empty_one_is_empty():
    ys = [float(i % 7) for i in range(248)]
    assert thinned(ys).y == tuple(ys)
    assert thinned([]) == ((), ())
