"""The loss of a student against one written out by hand, and a run without a teacher."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from core.catalogues import completed
from core.measure.calibration import calibration_error
from core.regularise.distillation import Distillation
from core.run.errors import SpecError
from core.train.loop import run
from tests.train.small_runs import spec


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@given(st.integers(0, 1000), st.floats(1, 8), st.floats(0, 1))
def test_loss_and_gradient_are_hintons(seed, temperature, alpha):
    """∂/∂z = (1 − α)·(p − y)/B + α·T·(p_T − q_T)/B, section 2 of the paper."""
    draws = np.random.default_rng(seed)
    z, teacher = draws.normal(size=(4, 3)), draws.normal(size=(4, 3))
    labels = draws.integers(0, 3, 4)
    logits = torch.tensor(z, requires_grad=True)
    student = Distillation(nn.Linear(2, 2), {"temperature": temperature, "alpha": alpha})
    student.teachers = lambda images, t: torch.tensor(softmax(teacher / t))
    plain = nn.functional.cross_entropy(logits, torch.tensor(labels))
    student.aim(plain, logits, torch.zeros(4, 1, 2, 2)).backward()
    soft, own = softmax(teacher / temperature), softmax(z / temperature)
    hand = (1 - alpha) * (softmax(z) - np.eye(3)[labels]) / 4 + alpha * temperature * (own - soft) / 4
    np.testing.assert_allclose(logits.grad.numpy(), hand, atol=1e-9)
    apart = (soft * (np.log(soft) - np.log(own))).sum(1).mean()
    expected = (1 - alpha) * float(plain.detach()) + alpha * temperature**2 * apart
    assert float(student.aim(plain, logits, torch.zeros(4, 1, 2, 2))) == pytest.approx(expected, abs=1e-9)


def test_without_a_teacher_nothing_begins(tmp_path):
    for out in (None, tmp_path):
        with pytest.raises(SpecError, match="needs a teacher"):
            list(run(spec({"kind": "distillation"}), out=out))
    together = {"epochs": 1, "batch_size": 64, "device": "cpu", "processes": 2}
    with pytest.raises(SpecError, match="not shared by several"):
        completed(spec({"kind": "distillation"}, train=together))


def test_the_calibration_error_of_a_network_that_is_as_sure_as_it_is_right_is_nothing():
    confidence = torch.tensor([0.75] * 400 + [0.5] * 200)
    correct = torch.tensor([True, True, True, False] * 100 + [True, False] * 100)
    assert calibration_error(confidence, correct) == pytest.approx(0)
    assert calibration_error(torch.ones(10), torch.zeros(10, dtype=torch.bool)) == pytest.approx(1)
    half = torch.tensor([True, False] * 50)
    assert calibration_error(torch.full((100,), 0.9), half) == pytest.approx(0.4)
