"""Strengths and learning rates over a run against points worked out by hand and torch's schedulers."""

import math

import numpy as np
import pytest
import torch

from core.optimise.catalogue import completed_optimiser, learning_rate
from core.regularise.check import completed_regularisers
from core.regularise.regularisation import Regularisation
from core.regularise.schedule import strength_at
from core.run.spec import OptimiserSpec, RegulariserSpec


def test_strength_rises_over_the_warm_up():
    spec = RegulariserSpec(kind="l1", strength=0.4, warmup_epochs=4)
    assert [strength_at(spec, epoch) for epoch in (0.0, 0.5, 2.0, 4.0, 9.0)] == [0.0, 0.05, 0.2, 0.4, 0.4]
    assert strength_at(RegulariserSpec(kind="l1", strength=0.4), 0.0) == 0.4


def test_strength_steps_up_at_an_epoch():
    spec = RegulariserSpec(kind="l1", strength=0.4, warmup_epochs=4, schedule="step")
    assert [strength_at(spec, epoch) for epoch in (0.0, 2.0, 3.99, 4.0, 9.0)] == [0.0, 0.0, 0.0, 0.4, 0.4]


@pytest.mark.parametrize("epoch", [0.0, 0.6, 1.0, 2.5, 3.999, 4.0, 7.0])
def test_label_smoothing_follows_its_warm_up(epoch):
    for schedule, expected in (("linear", np.interp(epoch, [0, 4], [0, 0.3])), ("step", 0.3 * (epoch >= 4))):
        smoothing = RegulariserSpec(kind="label_smoothing", strength=0.3, warmup_epochs=4, schedule=schedule)
        regularisation = Regularisation(completed_regularisers([smoothing]), torch.nn.Linear(1, 1))
        assert regularisation.label_smoothing(epoch) == pytest.approx(expected, abs=1e-15)


def test_the_schedules_at_points_that_can_be_worked_out():
    spec = completed_optimiser(OptimiserSpec(kind="sgd", lr=2.0, schedule="cosine"))
    assert [learning_rate(spec, step / 100) for step in (0, 50)] == pytest.approx([2.0, 1.0])
    assert learning_rate(spec, 0.99) == pytest.approx(1 + math.cos(math.pi * 0.99))
    one_cycle = completed_optimiser(OptimiserSpec(kind="sgd", lr=2.0, schedule="one-cycle"))
    assert [learning_rate(one_cycle, step / 100) for step in (0, 30)] == pytest.approx([2 / 25, 2.0])
    constant = completed_optimiser(OptimiserSpec(kind="sgd", lr=2.0))
    assert {learning_rate(constant, step / 10) for step in range(10)} == {2.0}


def rates_of(scheduler, steps, **options):
    """What torch's scheduler gives from a rate of 1, step by step."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=1.0)
    schedule, rates = scheduler(optimiser, **options), []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return rates


def our_rates(schedule, steps, **params):
    spec = completed_optimiser(OptimiserSpec(kind="sgd", lr=1.0, schedule=schedule, schedule_params=params))
    return [learning_rate(spec, step / steps) for step in range(steps)]


@pytest.mark.parametrize("steps", [7, 137, 1000])
def test_cosine_is_torchs(steps):
    theirs = rates_of(torch.optim.lr_scheduler.CosineAnnealingLR, steps, T_max=steps)
    assert our_rates("cosine", steps) == pytest.approx(theirs, rel=0, abs=1e-13)


@pytest.mark.parametrize("steps", [137, 1000])
def test_one_cycle_is_torchs_a_step_later(steps):
    """In the fall exactly; in the rise, where both begin at 1/25, by less than a step."""
    ours = our_rates("one-cycle", steps)
    theirs = rates_of(torch.optim.lr_scheduler.OneCycleLR, steps, max_lr=1.0, total_steps=steps)
    peak = math.ceil(0.3 * steps)
    assert ours[peak:] == pytest.approx(theirs[peak - 1 : -1], rel=0, abs=1e-12)
    assert ours[0] == pytest.approx(theirs[0])
    for step in range(1, peak - 1):
        assert theirs[step - 1] <= ours[step] <= theirs[step]


@pytest.mark.parametrize("first", [1, 7, 33, 100])
@pytest.mark.parametrize(("cycles", "growth"), [(1, 2), (3, 2), (4, 1), (3, 3), (10, 1), (5, 4)])
def test_warm_restarts_are_torchs(cycles, growth, first):
    """Torch is told the steps of the first cycle, here they follow from those of the run."""
    steps = first * sum(growth**i for i in range(cycles))
    theirs = rates_of(torch.optim.lr_scheduler.CosineAnnealingWarmRestarts, steps, T_0=first, T_mult=growth)
    ours = our_rates("warm-restarts", steps, cycles=cycles, growth=growth)
    assert ours == pytest.approx(theirs, rel=0, abs=1e-12)
    assert [step for step, rate in enumerate(ours) if rate == 1] == [
        first * sum(growth**i for i in range(k)) for k in range(cycles)
    ]


def test_warm_restarts_by_hand():
    """Three cycles, each 1.5 times as long as the one before: 4, 6 and 9 of 19 steps."""
    rates = our_rates("warm-restarts", 19, cycles=3, growth=1.5)
    assert [step for step, rate in enumerate(rates) if rate == 1] == [0, 4, 10]
    assert rates[2] == pytest.approx(0.5) and rates[7] == pytest.approx(0.5)
    assert rates[13] == pytest.approx((1 + math.cos(math.pi / 3)) / 2)
    # 10/23 is rounded down, and the second cycle begins there all the same.
    rates = our_rates("warm-restarts", 23, cycles=2, growth=1.3)
    assert [step for step, rate in enumerate(rates) if rate == 1] == [0, 10]
    spec = completed_optimiser(OptimiserSpec(schedule="warm-restarts"))
    assert spec.schedule_params == {"cycles": 3, "growth": 2.0}
