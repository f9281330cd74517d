"""How often a run is measured: by sizes, not by a clock, so that a spec's events are the same everywhere."""

from __future__ import annotations

import math

# Shares of training time, as estimated from sizes (docs/LOG.md). The thorough measures also come after the
# last epoch of any run; the prunable share only where the run was long enough for it.
THOROUGH_SHARE = 0.01
PRUNABLE_SHARE = 0.015
PRUNABLE_LAST_SHARE = 0.05  # of the run so far, which the look after the last epoch may take
EPOCHS_AN_IMAGE = 2.5  # a look takes so many epochs for each validation image over a training image
MAX_PICTURES = 50  # filters and histograms a run; more would be a long film, and a heavy one


def pictures_due(epoch: int, epochs: int) -> bool:
    """Whether epoch ``epoch`` of ``epochs`` keeps its filters: the first, the last, and evenly between."""
    return epoch == epochs or (epoch - 1) % -(-epochs // MAX_PICTURES) == 0


def prunable_every(epochs: int, num_train: int, num_validation: int) -> int:
    """Every how many epochs of a run to look for the prunable share; 0: at most after the last."""
    return evenly(epochs, PRUNABLE_SHARE, prunable_cost(num_train, num_validation))


def prunable_at_end(done: int, num_train: int, num_validation: int) -> bool:
    """Whether a run that ends after ``done`` epochs has time for a last look at the prunable share."""
    return prunable_cost(num_train, num_validation) <= PRUNABLE_LAST_SHARE * done


def prunable_cost(num_train: int, num_validation: int) -> float:
    """How long a look for the prunable share takes, in epochs of ``num_train`` images."""
    return EPOCHS_AN_IMAGE * num_validation / max(num_train, 1)  # 0 in a damaged event


def evenly(epochs: int, share: float, cost: float) -> int:
    """Every how many epochs to do what takes as long as ``cost`` epochs, in ``share`` of the run's time, with
    as many epochs between any two; 0: there is no time for it."""
    times = min(int(share * epochs / cost), epochs) if cost else epochs
    return math.ceil(epochs / times) if times else 0


def falls_on(epoch: int, every: int) -> bool:
    """Whether what comes every ``every`` epochs, 0 for never, comes after ``epoch``."""
    return bool(every) and epoch % every == 0
