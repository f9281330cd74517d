"""What sets specs apart, in words; how long a run takes; what seeds have in common."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogues import filled
from core.measure.band import band
from core.presets import PRESETS
from core.run.spec import parse
from core.text.differs import differences
from core.text.how_long import how_long, in_words

BASE = filled(PRESETS["baseline"].spec)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"name": "Another", "seed": 5}, []),
        ({"data": {"train_images": 300}}, ["300 images"]),
        ({"data": {"name": "arrows", "validation_share": 0.3}}, ["arrows", "30% kept"]),
        (
            {"data": {"name": "folder", "path": "upload:" + "a" * 64, "side": 28}},
            ["own images aaaa", "28 px"],
        ),
        ({"model": {"arch": "mlp"}}, ["Dense network"]),
        ({"model": {"arch": "cnn", "params": {"dropout": 0.25}}}, ["dropout 0.25"]),
        ({"regularisers": [{"kind": "l1", "strength": 0.01}]}, ["L1 0.01"]),
        ({"regularisers": [{"kind": "l2", "solver": "penalty"}]}, ["L2 0.0001 by penalty"]),
        ({"optimiser": {"kind": "sgd"}}, ["SGD with momentum"]),
        ({"optimiser": {"lr": 0.01, "schedule": "cosine"}}, ["learning rate 0.01", "cosine"]),
        ({"optimiser": {"schedule": "warm-restarts"}}, ["warm-restarts"]),
        ({"train": {"epochs": 3, "batch_size": 64}}, ["3 epochs", "batches of 64"]),
        ({"augment": {"ops": [{"op": "RandomAffine"}]}}, ["affine"]),
        ({"augment": {"ops": [{"op": "RandomAffine", "enabled": False}]}}, ["no augmentation"]),
    ],
)
def test_each_part_is_named(change, said):
    found = differences(filled(parse({**BASE.model_dump(mode="json"), **change})), BASE)
    if said == ["Dense network"]:
        assert len(found) == 1 and found[0].startswith("Dense network")
    else:
        assert found == said


def test_what_is_taken_away_is_named():
    with_l1 = filled(parse({"regularisers": [{"kind": "l1"}]}))
    assert differences(BASE, with_l1) == ["no L1"]


def run(spec, seconds=2.0, imported_at=None, inputs=None):
    summary, own = {"last": {"seconds": seconds}}, {"imported_at": imported_at, "inputs": inputs or {}}
    return SimpleNamespace(spec=filled(parse(spec)), kind="train", summary=summary, **own)


def work(trained):
    return trained + (1000 + 500) / 3  # as forward passes: 1,000 are kept, and 500 of those trained on


def test_the_time_is_that_of_the_latest_runs_of_this_network_scaled_by_images_and_epochs():
    small = {"name": "Small", "data": {"train_images": 1000}, "train": {"epochs": 4}}
    other = {"name": "Other", "model": {"arch": "mlp"}}
    found = how_long(BASE, [run(other, 9.0), run(small, 2.0)])
    assert found.measured_in == "Small"
    scale = BASE.train.epochs * work(4000) / work(1000)
    assert found.seconds == pytest.approx(2.0 * scale)
    usual = [run(small, 2.0), run(small, 2.5), run(small, 2.25), run(small, 2.25)]
    assert how_long(BASE, [run(small, 60.0), *usual, run(small, 90.0)]).seconds == pytest.approx(
        2.25 * scale
    )  # one was slow; the sixth is not looked at
    large = {**small, "train": {"epochs": 4, "batch_size": 256}}
    assert how_long(BASE, [run(large, 60.0), run(small, 2.0)]).seconds == pytest.approx(2.0 * scale)
    assert how_long(BASE, [run(other)]) is None
    assert how_long(BASE, [run(small, imported_at=1.0)]) is None  # another machine's seconds
    made = run(small, inputs={"how": "prune", "from": ["0" * 32]})  # of a network that may be smaller
    assert how_long(BASE, [made]) is None
    untold = SimpleNamespace(inputs={}, spec=BASE, kind="train", summary=None, imported_at=None)
    assert how_long(BASE, [untold]) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3, "some seconds"), (38, "about 40 s"), (200, "about 3 min"), (9000, "about 2.5 h")],
)
def test_times_are_said_as_roughly_as_they_are_known(seconds, said):
    assert in_words(seconds) == said


RUNS = st.lists(st.dictionaries(st.integers(1, 9), st.floats(0, 1), max_size=9), max_size=5)


@given(RUNS)
def test_the_band_holds_every_run(runs):
    found = band(runs)
    assert [epoch for epoch, _, _ in found] == sorted(
        epoch for epoch in range(1, 10) if sum(epoch in run for run in runs) > 1
    )
    for epoch, low, high in found:
        values = [run[epoch] for run in runs if epoch in run]
        assert (low, high) == (min(values), max(values))
