"""Early stopping against a count in whole numbers, over random runs."""

import numpy as np
import pytest
from torch import nn

from core.regularise.early_stopping import EarlyStopping

RUNS = 2000
BOUNDS = ((1, 31), (1, 7), (0, 21))  # of epochs, patience and tenths of min_delta
PER_UNIT = {"accuracy": 1000, "loss": 10}  # tenths of a point of accuracy, and tenths of a nat


def counted(scores, patience, min_delta):
    """The epoch after which it stops, or the last; and the best epoch of those. More is better."""
    mark, since = scores[0], 0
    for i in range(1, len(scores)):
        if scores[i] - mark > min_delta:
            mark, since = scores[i], i
        if i - since >= patience:
            break
    else:
        i = len(scores) - 1
    best = scores[: i + 1].index(max(scores[: i + 1]))
    return i + 1, best + 1


def made(monitor, patience, min_delta):
    params = {"monitor": monitor, "patience": patience, "min_delta": min_delta, "restore_best": False}
    return EarlyStopping(nn.Linear(1, 1), params)


@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_it_stops_and_keeps_where_whole_numbers_say(monitor):
    draws, ended_early = np.random.default_rng(0), 0
    for _ in range(RUNS):
        length, patience, min_delta = (
            int(draws.integers(low, high)) for low, high in ((1, 31), (1, 7), (0, 21))
        )
        tenths = draws.integers(0, draws.choice([5, 60, 1000]), length).tolist()
        values = [each / PER_UNIT[monitor] for each in tenths]
        stopping, epoch, reason = made(monitor, patience, min_delta / 10), 0, ""
        while not reason and epoch < length:
            epoch += 1
            reason = stopping.after_epoch({"epoch": epoch, f"validation_{monitor}": values[epoch - 1]})
        scores = tenths if monitor == "accuracy" else [-each for each in tenths]
        assert (epoch, stopping.best_epoch) == counted(scores, patience, min_delta)
        ended_early += epoch < length
    assert RUNS / 4 < ended_early < RUNS
