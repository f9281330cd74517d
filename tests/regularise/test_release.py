"""Penalties that are released: λ falls to 0, what is zero stays zero, and the rest lose the shrinkage."""

from __future__ import annotations

import itertools

import pytest
from safetensors.torch import load_file

from core.catalogues import completed
from core.regularise.schedule import strength_at
from core.run.commands import Control
from core.run.digest import digest
from core.run.errors import SpecError
from core.run.spec import RegulariserSpec, parse
from core.train.loop import run
from tests.regularise.test_holding import OPTIMISERS, zeros_of
from tests.train.small_runs import SMALL, epochs, spec

KINDS = ["l1", "elastic_net", "group_lasso"]
PROXIMAL = [each for each in OPTIMISERS if each["kind"] not in ("lion", "muon")]  # those two refuse it
AFTER = 2


def released(kind="l1", strength=3e-3, after=AFTER, rate=1.0):
    return {"kind": kind, "strength": strength, "release_epochs": after, "release_rate": rate}


def test_the_strength_falls_to_nothing_at_its_epoch():
    chosen = RegulariserSpec(kind="l1", strength=0.4, warmup_epochs=2, release_epochs=3)
    assert [strength_at(chosen, at) for at in (0, 1, 2, 2.99, 3, 3.5, 9)] == [0, 0.2, 0.4, 0.4, 0, 0, 0]


@pytest.mark.parametrize("optimiser", PROXIMAL, ids=lambda each: each["kind"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_zero_stays_and_the_rest_grows(kind, optimiser, tmp_path):
    strength = {"l1": 3e-3, "elastic_net": 5e-3, "group_lasso": 3e-3}[kind]
    if optimiser["kind"] == "sgd":
        strength *= 3
    train = {"epochs": 8, "batch_size": 16, "device": "cpu"}
    size = {}
    for name, after in (("held", 0), ("released", AFTER)):
        events = list(
            run(spec(released(kind, strength, after), optimiser=optimiser, train=train), out=tmp_path / name)
        )
        zeros = zeros_of(events)
        assert zeros[AFTER - 1] > 0.1  # it bites
        weights = load_file(tmp_path / name / "weights.safetensors")
        size[name] = sum(float(w.abs().sum()) for each, w in weights.items() if w.ndim > 1)
        if after:
            assert len(set(zeros[AFTER - 1 :])) == 1
            told = [event["strengths"][kind] for event in epochs(events)]
            assert told == [strength] * (AFTER - 1) + [0.0] * (8 - AFTER + 1)
            assert [event["penalties"][kind] for event in epochs(events)][AFTER - 1 :] == [0.0] * (
                8 - AFTER + 1
            )
    assert size["released"] > size["held"]


def test_until_then_it_is_the_run_that_is_not_released():
    plain = epochs(run(spec({"kind": "l1", "strength": 3e-3})))
    other = epochs(run(spec(released())))
    assert other[: AFTER - 1] == plain[: AFTER - 1] and other[-1] != plain[-1]
    # The epoch that ends there was trained alike; what it says of λ is what holds now.
    assert other[AFTER - 1]["train_loss"] == plain[AFTER - 1]["train_loss"]


def test_the_learning_rate_is_multiplied_from_then_on():
    """As a run whose rate is edited at that step, and whose λ is."""
    train = {"epochs": 5, "batch_size": 16, "device": "cpu"}
    ours = list(run(spec(released(rate=3.0), {"kind": "hold_zeros"}, train=train)))
    at = next(event["step"] for event in ours if event["event"] == "epoch" and event["epoch"] == AFTER)
    edits = [{"step": at, "set": {"optimiser.lr": 0.03}}]
    theirs = list(run(spec(released(), {"kind": "hold_zeros"}, train=train), edits=edits))
    figures = [[event["train_loss"] for event in epochs(each)] for each in (ours, theirs)]
    assert figures[0] == figures[1]
    slow = [
        event["train_loss"] for event in epochs(run(spec(released(), {"kind": "hold_zeros"}, train=train)))
    ]
    assert slow[:AFTER] == figures[0][:AFTER] and slow[AFTER:] != figures[0][AFTER:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [1, 3])
def test_a_run_that_was_cut_before_or_after_it_goes_on_bit_for_bit(tmp_path, kind, cut):
    chosen = spec(
        released(kind, rate=2.0), {"kind": "ema"}, train={"epochs": 4, "batch_size": 16, "device": "cpu"}
    )
    whole = list(run(chosen, out=tmp_path / "whole"))
    control = Control()
    for event in run(chosen, control, out=tmp_path / "cut"):
        if event["event"] == "epoch" and event["epoch"] == cut:
            control.stop.set()
    rest = epochs(run(chosen, out=tmp_path / "cut", resume=True))
    assert 0 < len(rest) < 4 and rest == epochs(whole)[-len(rest) :]
    one, other = ((tmp_path / each / "weights.safetensors").read_bytes() for each in ("whole", "cut"))
    assert one == other


def test_two_are_released_each_at_its_own_epoch():
    train = {"epochs": 6, "batch_size": 16, "device": "cpu"}
    chosen = spec(released("l1", 2e-3, after=2), released("group_lasso", 2e-3, after=4), train=train)
    zeros = zeros_of(run(chosen))
    assert all(now <= then for now, then in itertools.pairwise(zeros)) and zeros[1] < zeros[3]
    assert len(set(zeros[3:])) == 1


def test_a_strength_that_was_released_takes_no_edit():
    control, told = Control(), []
    for event in run(spec(released()), control):
        told.append(event)
        if event["event"] == "epoch" and event["epoch"] in (1, AFTER):
            control.post({"command": "edit", "set": {"regularisers.0.strength": 1e-3}})
    assert [event["was"] for event in told if event["event"] == "edit"] == [{"regularisers.0.strength": 3e-3}]
    (refused,) = (event["reason"] for event in told if event["event"] == "refused")
    assert "released after 2 epochs" in refused and "branch" in refused


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "l2", "release_epochs": 2}, "makes no zeros that could be held"),
        ({"kind": "l1", "solver": "penalty", "release_epochs": 2}, "l1 by penalty makes no zeros"),
        ({"kind": "early_stopping", "release_epochs": 2}, "makes no zeros that could be held"),
        ({"kind": "l1", "release_rate": 3.0}, "multiplies the learning rate after the release"),
        ({"kind": "l1", "warmup_epochs": 3, "release_epochs": 3}, "rises over 3 epochs"),
    ],
)
def test_what_can_not_be_released_is_refused_in_words(change, said):
    with pytest.raises(SpecError, match=said):
        completed(parse(SMALL | {"regularisers": [change]}))


@pytest.mark.parametrize(
    "change",
    [{"release_epochs": -1}, {"release_epochs": 1001}, {"release_rate": 0.0}, {"release_rate": 99.0}],
)
def test_what_is_out_of_bounds_is_refused(change):
    with pytest.raises(SpecError):
        parse(SMALL | {"regularisers": [{"kind": "l1"} | change]})


def test_a_spec_that_releases_nothing_is_written_as_before():
    plain = completed(parse(SMALL | {"regularisers": [{"kind": "l1"}]}))
    assert "release" not in plain.to_json()
    assert digest("train", completed(parse(SMALL | {"regularisers": [released("l1", 1e-4, 0)]}))) == digest(
        "train", plain
    )
    assert digest("train", completed(spec(released("l1", 1e-4)))) != digest("train", plain)
