"""Steps and epochs of a run whose batch size and epochs change, against counting them one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.run.clock import Clock, check_steps
from core.run.errors import SpecError


def counted(images, sizes):
    """For each epoch with its batch size, how many steps are done at its end; counted batch by batch."""
    ends, step = [], 0
    for size in sizes:
        left = images
        while left > 0:
            batch, left = min(size, left), left - min(size, left)
            step += batch > 1 or batch == images or size == 1
        ends.append(step)
    return ends


@given(st.integers(2, 300), st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_steps_are_those_that_are_counted(images, sizes):
    clock = Clock(images, sizes[0], len(sizes))
    for epoch, (size, end) in enumerate(zip(sizes, counted(images, sizes), strict=True)):
        clock = clock.at_epoch(epoch, size)
        assert clock.steps_by(epoch + 1) == end
        assert clock.whole_epochs(end) == epoch + 1 and clock.whole_epochs(end - 1) == epoch
        assert clock.epochs_done(end) == epoch + 1
        assert clock.share(end) == pytest.approx((epoch + 1) / len(sizes))
    assert clock.num_steps == end


@given(st.integers(1, 1000), st.integers(1, 64), st.integers(1, 50), st.integers(0, 10_000))
def test_without_edits_it_is_the_plain_quotient_to_the_bit(images, size, epochs, step):
    clock = Clock(images, size, epochs)
    assert clock.epochs_done(step) == step / clock.steps_per_epoch
    assert clock.share(step) == step / clock.num_steps


def edits(*pairs):
    return [{"step": step, "set": change} for step, change in pairs]


def test_an_edit_may_come_after_the_end_that_another_edit_moves():
    clock = Clock(100, 10, 2)  # 20 steps
    check_steps(clock, edits((15, {"train.epochs": 3}), (29, {"optimiser.lr": 0.1})))
    check_steps(clock, edits((5, {"train.batch_size": 5}), (29, {"optimiser.lr": 0.1})))  # 10 + 20 steps
    check_steps(clock, edits((0, {"train.batch_size": 5}), (39, {"optimiser.lr": 0.1})))  # from the first on
    check_steps(
        clock, edits((10, {"train.batch_size": 5}), (29, {"optimiser.lr": 0.1}))
    )  # between two epochs
    check_steps(clock, edits((5, {"train.batch_size": 5}), (8, {"train.batch_size": 10}), (19, {"seed": 1})))


@pytest.mark.parametrize(
    ("made", "where"),
    [
        (edits((20, {"optimiser.lr": 0.1})), r"edits\[0\]\.step: 20 is not below .* 20\."),
        (edits((5, {"train.batch_size": 5}), (30, {"optimiser.lr": 1})), r"edits\[1\]\.step: 30 .* 30\."),
        (edits((5, {"train.batch_size": 50}), (12, {"optimiser.lr": 1})), r"edits\[1\]\.step: 12 .* 12\."),
        (edits((5, {"train.epochs": 1}), (10, {"optimiser.lr": 1})), r"edits\[1\]\.step: 10 .* 10\."),
        (edits((15, {"train.epochs": 1})), r"edits\[0\]\.train\.epochs: epoch 2 is under way already"),
        (edits((10, {"train.epochs": 1})), r"choose 2 or more"),
    ],
)
def test_an_edit_that_a_run_never_comes_to_is_refused(made, where):
    with pytest.raises(SpecError, match=where):
        check_steps(Clock(100, 10, 2), made)
