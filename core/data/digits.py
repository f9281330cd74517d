"""Handwritten digits, two bundled sets: MNIST's first lesson, and a smaller one that trains in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.data.dataset import Dataset

CLASSES = tuple("0123456789")
MNIST5K = Path(__file__).parent / "bundled" / "mnist5k.npz"


def mnist5k() -> Dataset:
    """5,000 images of MNIST's training set, 500 a digit, (5000, 1, 28, 28), white on black, shuffled."""
    with np.load(MNIST5K, allow_pickle=False) as file:
        return Dataset(file["images"][:, None], file["labels"].astype(np.int64), CLASSES)


def digits() -> Dataset:
    """scikit-learn's copy of the UCI test set: 1,797 digits, (1797, 1, 8, 8), in 17 shades of grey."""
    from sklearn.datasets import load_digits  # here: it takes longer to import than all else together

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # 0 … 16 to 0 … 255
    return Dataset(images[:, None], bunch.target.astype(np.int64), CLASSES)
