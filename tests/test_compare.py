"""Two runs in one sentence: which of two intervals is right, and when a difference is said to be noise."""

import numpy as np
import pytest
from scipy import stats

from core.catalogues import completed
from core.measure.compare import Judged, compare
from core.measure.counted import difference
from core.measure.mean import mean_interval
from core.measure.paired import bits, fall_interval
from core.presets import preset
from core.run.spec import parse
from core.text.compare import Run, alone, beside, closest, judged_alike, on_same_data
from core.text.differs import contrasts

BASE = completed(preset("baseline"))
RNG = np.random.default_rng(0)


def judged(right):
    return Judged(int(right.sum()), len(right), np.packbits(right).tobytes().hex())


def with_answers(images=1000, lost=30, won=10):
    """Two networks that answer all alike but for so many images."""
    theirs = np.arange(images) < images * 0.9
    ours = theirs.copy()
    ours[:lost], ours[images - won :] = False, True
    return judged(ours), judged(theirs)


@pytest.mark.parametrize("images", [20, 999, 1000])
def test_on_the_same_images_it_counts_image_by_image(images):
    ours, theirs = with_answers(images, lost=5, won=2)
    found = compare(ours, theirs, same_images=True)
    assert (found.lost, found.won, found.is_paired) == (5, 2, True)
    assert found.difference == pytest.approx(-3 / images)
    low, high = fall_interval(5, 2, images)
    assert (found.low, found.high) == (-high, -low)


def test_otherwise_they_are_two_shares():
    ours, theirs = with_answers()
    apart = compare(ours, theirs, same_images=False)
    assert not apart.is_paired and apart.lost is None
    assert (apart.low, apart.high) == difference(880, 1000, 900, 1000)
    unknown = compare(ours._replace(right=None), theirs, same_images=True)
    assert unknown == apart
    assert not compare(ours, theirs._replace(images=999), same_images=True).is_paired


def test_image_by_image_less_is_noise():
    ours, theirs = with_answers()
    assert compare(ours, theirs, same_images=True).is_beyond_noise
    assert not compare(ours, theirs, same_images=False).is_beyond_noise


def test_noise_is_what_mcnemar_says_it_is():
    """The exact test at 5 %, and the interval at 95 %, hardly ever disagree."""
    agree = []
    for _ in range(300):
        lost, won = (int(each) for each in RNG.integers(0, 40, 2))
        beyond = compare(*with_answers(1000, lost, won), same_images=True).is_beyond_noise
        agree.append(beyond == (lost + won > 0 and stats.binomtest(lost, lost + won).pvalue < 0.05))
    assert np.mean(agree) > 0.95


def test_two_networks_that_differ_by_chance_are_seldom_told_apart():
    told = []
    for _ in range(1000):
        ours, theirs = RNG.random((2, 500)) < 0.9
        told.append(compare(judged(ours), judged(theirs), same_images=True).is_beyond_noise)
    assert 0.02 < np.mean(told) < 0.08


@pytest.mark.parametrize("right", [None, "zz", "ff", "f" * 251, 3])
def test_answers_that_are_damaged_are_none(right):
    assert bits(right, 1000) is None


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 10, 31])
def test_a_mean_of_runs_has_students_interval(count):
    values = RNG.normal(0.9, 0.02, count)
    mean, low, high = mean_interval(list(values))
    theirs = stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values))
    assert (mean, low, high) == pytest.approx((values.mean(), *theirs), abs=1e-12)


def run(change, right=None, accuracy=0.9, images=1000, title="Baseline", **more):
    spec = completed(parse({**BASE.model_dump(mode="json"), **change}))
    result = {"validation_accuracy": accuracy, **more} | ({"right": right} if right else {})
    return Run(spec, title, result, images)


L1 = {"regularisers": [{"kind": "l1", "strength": 0.01}]}


def answered(change, which, **more):
    answers = with_answers(**more)[which]
    return run(change, answers.right, answers.correct / answers.images, answers.images)


def test_a_fall_beyond_noise():
    said = beside(answered(L1, 0), answered({}, 1))
    assert said.sentence == (
        "L1 0.01 instead of none: validation accuracy 2.0 points lower than “Baseline” (95 %: −3.4 to −0.8), "
        "beyond the noise of these images."
    )
    assert "names 30 wrongly" in said.how and "10 the other way round" in said.how
    assert "3 seeds" in said.next_step


def test_a_fall_within_noise():
    said = beside(answered(L1, 0, lost=12, won=7), answered({}, 1, lost=12, won=7))
    assert (
        "0.5 points lower than “Baseline” (95 %: −1.5 to 0.4), within the noise of these images."
        in said.sentence
    )
    assert "can't tell them apart" in said.next_step


def test_another_exam_is_said_to_be_one():
    other = answered({"seed": 1}, 0)
    said = beside(other, answered({}, 1))
    assert (
        said.sentence.startswith("Seed 1 instead of 0, other validation images: ")
        and "within the noise of two different sets of images" in said.sentence
    )
    assert "different validation images" in said.how and "Newcombe" in said.how
    alike = beside(run({}, accuracy=0.9), run(L1, accuracy=0.88))
    assert "was not kept" in alike.how


def test_several_things_are_named_and_none_is_blamed():
    change = L1 | {"train": {"epochs": 30}, "data": {"train_images": 300}, "optimiser": {"lr": 0.1}}
    said = beside(answered(change, 0), answered({}, 1))
    assert said.sentence.startswith("300 instead of all images, L1 0.01 instead of none, learning rate 0.1 ")
    assert " and 1 more: " in said.sentence and "change one at a time" in said.next_step


def test_a_run_alone_says_its_numbers():
    said = alone(run({}, accuracy=0.93, clean_accuracy=1.0, clean_images=300))
    assert said.sentence == (
        "Validation accuracy 93.0 % (930 of 1,000; 91–94); on its own training images +7.0 points "
        "(95 %: 5.1 to 8.8)."
    )
    assert "own training" not in alone(run({})).sentence


def test_the_closest_is_compared_with():
    ours = run(L1 | {"train": {"epochs": 3}})
    near, far = run(L1), run({})
    assert closest(ours.spec, [far, near]) is near and closest(ours.spec, [near, run(L1)]) is near
    assert closest(ours.spec, []) is None


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        (L1, True),
        ({"data": {"train_images": 300}}, True),
        ({"seed": 1}, False),
        ({"seed": 1, "data": {"split_seed": 0}}, True),
        ({"data": {"validation_share": 0.3}}, False),
        ({"data": {"name": "digits"}}, False),
    ],
)
def test_which_runs_are_judged_on_the_same_images(change, alike):
    assert judged_alike(run(change).spec, BASE) is alike


def test_a_folder_may_hold_other_images_by_now():
    folder = {"data": {"name": "folder", "path": "/x", "side": 28, "channels": 1, "fit": "crop"}}
    upload = {"data": folder["data"] | {"path": "upload:" + "a" * 64}}
    assert not judged_alike(parse(folder), parse(folder)) and on_same_data(parse(folder), parse(folder))
    assert judged_alike(parse(upload), parse(upload)) and not on_same_data(parse(upload), parse(folder))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train": {"epochs": 30}}, f"30 instead of {BASE.train.epochs} epochs"),
        ({"model": {"arch": "cnn", "params": {"dropout": 0}}}, "dropout 0 instead of 0.5"),
        ({"augment": {"ops": [{"op": "RandomAffine"}]}}, "affine instead of no augmentation"),
        ({"optimiser": {"kind": "sgd"}}, "SGD with momentum instead of AdamW"),
        (L1, "L1 0.01 instead of none"),
    ],
)
def test_what_differs_is_said_from_both_sides(change, said):
    ours = run(change).spec
    (found,) = contrasts(ours, BASE)
    assert found.in_words() == said
    (back,) = contrasts(BASE, ours)
    assert back == found._replace(ours=found.theirs, theirs=found.ours)


def test_one_strength_beside_another():
    (found,) = contrasts(run(L1).spec, run({"regularisers": [{"kind": "l1", "strength": 0}]}).spec)
    assert found.in_words() == "L1 0.01 instead of 0"
