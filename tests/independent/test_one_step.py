"""One recipe rebuilt in NumPy, float64: AdamW with its own decay, decoupled decay, L2, proximal L1 with a
warm-up, label smoothing with a warm-up, MixUp, cosine, a last batch that is smaller."""

import math

import numpy as np
import pytest

from core.catalogues import completed
from core.run.spec import parse
from core.train.session import epoch_order, open_session
from core.train.step import train_step

RATE, DECAY, OWN_DECAY, L2, L1, SMOOTHING = 3e-3, 0.02, 0.05, 2e-3, 1e-2, 0.1
SPEC = {
    "seed": 4,
    "data": {"name": "digits", "train_images": 100},
    "model": {"arch": "mlp", "params": {"hidden": [12], "dropout": 0}},
    "augment": {"mix": {"op": "RandomMixUpV2", "p": 1.0}},
    "optimiser": {"kind": "adamw", "lr": RATE, "schedule": "cosine", "params": {"weight_decay": OWN_DECAY}},
    "regularisers": [
        {"kind": "l1", "strength": L1, "solver": "proximal", "schedule": "linear", "warmup_epochs": 2},
        {"kind": "l2", "strength": L2},
        {"kind": "weight_decay", "strength": DECAY},
        {"kind": "label_smoothing", "strength": SMOOTHING, "schedule": "linear", "warmup_epochs": 3},
    ],
    "train": {"epochs": 4, "batch_size": 19, "device": "cpu"},
}


class ByHand:
    """The network and the optimiser as their papers write them."""

    def __init__(self, named):
        self.w = {name: value.detach().double().numpy().copy() for name, value in named}
        self.m = {name: np.zeros_like(value) for name, value in self.w.items()}
        self.v = {name: np.zeros_like(value) for name, value in self.w.items()}
        self.k = 0

    def step(self, x, targets, epoch, rate):
        (w1, b1, w2, b2) = self.w.values()
        hidden = np.maximum(x @ w1.T + b1, 0)
        logits = hidden @ w2.T + b2
        logits -= logits.max(1, keepdims=True)
        log = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        smoothing = SMOOTHING * min(epoch / 3, 1)
        wanted = (1 - smoothing) * targets + smoothing / targets.shape[1]
        loss = -(wanted * log).sum(1).mean()
        outer = (np.exp(log) - wanted) / len(x)
        inner = (outer @ w2) * (hidden > 0)
        gradients = [inner.T @ x + L2 * w1, inner.sum(0), outer.T @ hidden + L2 * w2, outer.sum(0)]
        self.k += 1
        for name, gradient in zip(self.w, gradients, strict=True):
            matrix = gradient.ndim == 2
            self.m[name] = 0.9 * self.m[name] + 0.1 * gradient
            self.v[name] = 0.999 * self.v[name] + 0.001 * gradient**2
            root = np.sqrt(self.v[name] / (1 - 0.999**self.k))
            decayed = self.w[name] * (1 - rate * OWN_DECAY if matrix else 1)
            moved = decayed - rate * self.m[name] / (1 - 0.9**self.k) / (root + 1e-8)
            if matrix:
                moved *= 1 - rate * DECAY
                size = rate / (np.maximum(root, 0.03 * root.mean()) + 1e-8)
                threshold = size * L1 * min(epoch / 2, 1)
                moved = np.sign(moved) * np.maximum(np.abs(moved) - threshold, 0)
            self.w[name] = moved
        return loss


def test_a_recipe_of_seven_parts_gives_the_same_weights_and_zeros():
    spec = completed(parse(SPEC))
    session = open_session(spec)
    session.model.train()
    hand = ByHand(session.model.named_parameters())
    mean, std = session.mean.double().numpy(), session.std.double().numpy()
    assert session.clock.steps_per_epoch == math.ceil(100 / 19)
    step = 0
    for epoch in range(1, 5):
        for index in epoch_order(spec, 100, epoch).split(19):
            images, targets = session.batch(index, step)
            x = ((images.double().numpy() - mean) / std).reshape(len(index), -1)
            rate = RATE * (0.5 + 0.5 * math.cos(math.pi * step / session.clock.num_steps))
            expected = hand.step(x, targets.double().numpy(), step / session.clock.steps_per_epoch, rate)
            loss, *_ = train_step(session, images, targets, step)
            assert float(loss) == pytest.approx(expected, rel=1e-4)
            step += 1
    zeros = 0
    for name, value in session.model.named_parameters():
        found = value.detach().double().numpy()
        np.testing.assert_allclose(found, hand.w[name], atol=2e-4)
        zeros += int((found == 0).sum())
        assert np.mean((found == 0) == (hand.w[name] == 0)) > 0.995, name
    assert zeros > 10
