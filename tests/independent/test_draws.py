"""What operations draw: even over their ranges (Kolmogorov-Smirnov), as often as p, and without a pattern."""

import numpy as np
import pytest
from scipy import stats

from core.augment.check import completed_augment
from core.augment.pipeline import Pipeline
from core.run.spec import AugmentSpec, OpSpec

SIDE, COUNT = 28, 20_000
LEAST_P = 1e-3  # the seeds are fixed, so this is passed or failed once and for all


def drawn(*ops, size=COUNT, step=0):
    """What each of ``ops`` draws for one batch, by Kornia's names."""
    pipeline = Pipeline(completed_augment(AugmentSpec(ops=ops), 3), channels=3, side=SIDE, seed=11)
    return [
        {name: value.double().numpy() for name, value in op.params.items()}
        for op in pipeline.draw(size, step).ops
    ]


def assert_even(values, low, high):
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > LEAST_P


# The parameter, its range, and Kornia's name of what is drawn; a lopsided range shows a changed sign.
EVEN = [
    ("RandomRotation", "degrees", [-10, 40], "degrees", 1),
    ("RandomAffine", "degrees", [-10, 40], "angle", -1),  # clockwise, in Kornia
    ("RandomAffine", "scale", [0.8, 1.5], "scale", 1),
    ("RandomAffine", "shear", [-5, 20], "shear_x", 1),
    ("RandomShear", "shear", [-5, 20], "shear_x", 1),
    ("RandomBrightness", "brightness", [0.6, 1.1], "brightness_factor", 1),
    ("RandomContrast", "contrast", [0.6, 1.9], "contrast_factor", 1),
    ("RandomGamma", "gamma", [0.5, 2.5], "gamma_factor", 1),
    ("RandomSaturation", "saturation", [0.2, 1.4], "saturation_factor", 1),
    ("RandomHue", "hue", [-0.1, 0.3], "hue_factor", 1),
    ("RandomGaussianBlur", "sigma", [0.5, 2.0], "sigma", 1),
    ("RandomSharpness", "sharpness", [1.0, 6.0], "sharpness", 1),
    ("RandomSolarize", "thresholds", [0.3, 0.9], "thresholds", 1),
    ("RandomSolarize", "additions", [-0.1, 0.3], "additions", 1),
]


@pytest.mark.parametrize(("op", "parameter", "bounds", "name", "sign"), EVEN)
def test_values_lie_evenly_in_their_range(op, parameter, bounds, name, sign):
    (found,) = drawn(OpSpec(op=op, p=1.0, params={parameter: bounds}))
    values = sign * found[name].reshape(COUNT, -1)[:, 0]
    assert_even(values, *bounds)


def test_shifts_lie_evenly_and_their_ways_are_not_linked():
    found = drawn(
        OpSpec(op="RandomAffine", p=1.0, params={"translate": 0.25}),
        OpSpec(op="RandomTranslate", p=1.0, params={"translate_x": [-0.1, 0.3], "translate_y": [-0.5, 0.2]}),
    )
    both, alone = found
    for way in (0, 1):
        assert_even(both["translations"][:, way], -0.25 * SIDE, 0.25 * SIDE)
    assert_even(alone["translate_x"], -0.1 * SIDE, 0.3 * SIDE)
    assert_even(alone["translate_y"], -0.5 * SIDE, 0.2 * SIDE)
    for x, y in (both["translations"].T, (alone["translate_x"], alone["translate_y"])):
        assert stats.pearsonr(x, y).pvalue > LEAST_P


def test_a_crop_begins_at_each_pixel_as_often():
    (found,) = drawn(OpSpec(op="RandomCrop", params={"padding": 0.125}))  # 3.5 px, 4 to Kornia
    padding = int(found["padding_size"][0, 0])
    for way in (0, 1):
        counts = np.bincount(found["src"][:, 0, way].astype(int), minlength=2 * padding + 1)
        assert len(counts) == 2 * padding + 1 == 9
        assert stats.chisquare(counts).pvalue > LEAST_P


def test_corners_of_a_perspective_move_inwards_evenly():
    (found,) = drawn(OpSpec(op="RandomPerspective", p=1.0, params={"distortion_scale": 0.4}))
    moved = np.abs(found["end_points"] - found["start_points"]).reshape(COUNT, -1)
    inwards = (found["end_points"] - found["start_points"]) * np.sign(SIDE / 2 - found["start_points"])
    assert (inwards >= 0).all()
    for values in moved.T:
        assert_even(values, 0, 0.4 * SIDE / 2)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.85])
def test_as_many_images_are_met_as_p_says(p):
    for found in drawn(
        *(OpSpec(op=op, p=p) for op in ("RandomRotation", "RandomBrightness", "RandomErasing"))
    ):
        met = int((found["batch_prob"] > 0.5).sum())
        assert stats.binomtest(met, COUNT, p).pvalue > LEAST_P


def test_no_draw_foretells_another():
    """From image to image, from step to step, from one operation to another and to a second of its kind."""
    rotation = OpSpec(op="RandomRotation", p=1.0)
    ops = (rotation, rotation, OpSpec(op="RandomBrightness", p=1.0), OpSpec(op="RandomHue", p=1.0))
    names = ("degrees", "degrees", "brightness_factor", "hue_factor")
    steps = [drawn(*ops, size=100, step=step) for step in range(200)]
    values = np.array([[each[name] for each, name in zip(found, names, strict=True)] for found in steps])
    pairs = [(values[:, i].ravel(), values[:, j].ravel()) for i in range(4) for j in range(i)]
    for i in range(4):
        pairs += [(values[:, i, 1:].ravel(), values[:, i, :-1].ravel())]
        pairs += [(values[1:, i].ravel(), values[:-1, i].ravel())]
    for one, other in pairs:
        assert stats.pearsonr(one, other).pvalue > LEAST_P


def test_whether_one_fires_foretells_no_other():
    twins = [OpSpec(op="RandomRotation", p=0.3)] * 2
    steps = [drawn(*twins, size=100, step=step) for step in range(200)]
    one, other = (np.array([found[i]["batch_prob"] > 0.5 for found in steps]) for i in (0, 1))
    for both in (one & other, one[1:] & one[:-1], one[:, 1:] & one[:, :-1]):
        assert stats.binomtest(int(both.sum()), both.size, 0.09).pvalue > LEAST_P
