"""What the figures of a run are, for a page that has no hints to hold a pointer over."""

from __future__ import annotations

from core.measure.near import NEAR

DEFINITIONS = {
    "Validation accuracy": "The share of held-out images whose class the network names. With it stand how "
    "many of how many, and the 95 % interval for other images of the same kind (Wilson); under some 200 "
    "images it is rough.",
    "Clean train": "The share of a fixed sample of the training images whose class the network names after "
    "the epoch, without augmentation and without dropout.",
    "While learning": "The mean over an epoch's batches, while the network was still learning, with "
    "augmentation and dropout. It does not compare with validation; clean train does.",
    "Gap": "Clean train less validation accuracy, in percentage points: what the network knows by heart and "
    "can't do on new images. Its 95 % interval is Newcombe's; if it holds 0, there may be no gap.",
    "Loss": "Mean cross-entropy with the natural logarithm: 0 is certain and correct. No penalty is in it.",
    "Exact zeros": "The share of weights that are exactly 0.0. Biases and norm layers are left out, here "
    "and wherever weights are counted.",
    "Near zero": f"The share of weights with |w| < {NEAR:g}, exact zeros among them. The bound is a choice, "
    "and the share is whatever the bound makes it.",
    "Within or beyond the noise": "Whether the 95 % interval of a difference between two runs holds 0. It "
    "says how far other images would move the difference, not how far another seed would.",
}
