"""The prunable share's interval holds the true share as often as it says.

Images are drawn from a population whose mean fall is a straight line in the share, known in closed form, so
that the true share is known too: image i loses nothing up to t_i zeros, b_i from t_i + WIDTH on, and in
between a part of b_i. With t uniform on (FROM, FROM + 1) the mean is E[b] (s - FROM - WIDTH / 2).
"""

import numpy as np
import pytest
import torch

from core.measure.prunable import prunable

FROM, WIDTH = 0.2, 0.2
DRAWS = 2000
WEIGHTS = torch.linspace(1, 2, 2000).view(40, 50)


def few_that_lose_much(random, images):
    """One image in six loses anything from nothing to half its probability; the others hardly move."""
    return np.where(random.random(images) < 1 / 6, random.random(images) / 2, 0) + 0.002


def some_that_gain(random, images):
    return random.uniform(-0.3, 0.5, images)


def drawn(random, images, losses):
    """What `prunable` finds on so many images of the population."""
    starts, most = random.uniform(FROM, FROM + 1, images), losses(random, images)
    weights = [WEIGHTS.clone()]
    right = torch.ones(images, dtype=torch.bool)

    def judged():
        share = 1 - np.count_nonzero(weights[0].numpy()) / WEIGHTS.numel()
        fall = most * np.clip((share - starts) / WIDTH, 0, 1)
        return -torch.from_numpy(0.5 - fall).clamp(min=1e-9).log(), right

    return prunable(weights, judged, judged())


@pytest.mark.parametrize(("losses", "mean"), [(few_that_lose_much, 1 / 24 + 0.002), (some_that_gain, 0.1)])
def test_the_interval_of_the_prunable_share_covers_the_true_one_in_95_of_100_draws(losses, mean):
    true = FROM + WIDTH / 2 + 0.02 / mean
    random = np.random.default_rng(4)
    found = [drawn(random, 1000, losses) for _ in range(DRAWS)]
    covered = np.mean([each["low"] <= true <= each["high"] for each in found])
    assert 0.93 <= covered <= 0.97
