"""How many parameters each architecture has, and what fits into it, from numbers alone.

Nothing is built, so a network that is too large is refused where torch is not loaded. The tests compare each
count with that of the network itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from core.models.entry import Params
from core.run.errors import SpecError

MAX_MAP = 8  # the side of the map that a convolutional network flattens, at most
MAX_PATCHES = 1024  # an attention map has the square of it: 4 MB a head, an image and a block
MAX_PATCH = 64  # pixels
GATES = {"lstm": 4, "gru": 3, "rnn": 1}  # the matrices of a cell, from the input and from the state each


def dense(inputs: int, outputs: int) -> int:
    """The weights and biases of a dense layer."""
    return (inputs + 1) * outputs


def dense_chain(widths: Sequence[int]) -> int:
    """Dense layers in a row, from ``widths[0]`` inputs to ``widths[-1]`` outputs."""
    return sum(dense(inputs, outputs) for inputs, outputs in pairwise(widths))


def cnn_parameters(params: Params, channels: int, side: int, num_classes: int) -> int:
    total, width, size = 0, channels, side
    extra = 2 if params["batch_norm"] else 1  # a scale and a shift, or a bias
    for next_width in params["channels"]:
        total += next_width * (9 * width + extra)
        width, size = next_width, max(size // 2, 1)
    if size > MAX_MAP:
        size //= -(-size // MAX_MAP)
    return total + dense_chain([width * size**2, params["hidden"], num_classes])


def cnn_activations(params: Params, channels: int, side: int) -> int:
    total, size = 0, side
    for width in params["channels"]:
        total += width * size**2 * (2 if params["batch_norm"] else 1)  # the convolution's, and normalised
        size = max(size // 2, 1)
        total += 3 * width * size**2  # pooled, with the places of the largest (64 bits)
    return total + 2 * params["hidden"]


def mlp_activations(params: Params, channels: int, side: int) -> int:
    return 3 * sum(params["hidden"])


def rnn_activations(params: Params, channels: int, side: int) -> int:
    """For each row of the image the gates, and the state before and after."""
    directions = 2 if params["bidirectional"] else 1
    return params["layers"] * directions * side * params["hidden"] * (GATES[params["cell"]] + 2)


def attention_activations(params: Params, channels: int, side: int) -> int:
    """For each token and block: two norms, queries, keys, values, their mix, two sums, the inner layer."""
    tokens, width = (side // params["patch"]) ** 2, params["width"]
    return params["depth"] * tokens * width * (8 + 2 * params["mlp_ratio"])


def mlp_parameters(params: Params, channels: int, side: int, num_classes: int) -> int:
    return dense_chain([channels * side**2, *params["hidden"], num_classes])


def rnn_parameters(params: Params, channels: int, side: int, num_classes: int) -> int:
    hidden, directions = params["hidden"], 2 if params["bidirectional"] else 1
    total, inputs = 0, channels * side
    for _ in range(params["layers"]):
        # Each gate has a matrix for the input and one for the state, with a bias each.
        total += directions * GATES[params["cell"]] * (dense(inputs, hidden) + dense(hidden, hidden))
        inputs = directions * hidden
    return total + dense(inputs, num_classes)


def attention_parameters(params: Params, channels: int, side: int, num_classes: int) -> int:
    patch, width, inner = params["patch"], params["width"], params["mlp_ratio"] * params["width"]
    norm = 2 * width
    attention = dense(width, 3 * width) + dense(width, width)
    block = 2 * norm + attention + dense_chain([width, inner, width])
    positions = (side // patch) ** 2 * width
    embedding = dense(channels * patch**2, width) + positions
    return embedding + params["depth"] * block + norm + dense(width, num_classes)


def check_attention(params: Params, side: int) -> None:
    """Refuse patches that don't tile the image, and heads that can't share a token.

    Raises:
        SpecError: ``patch`` does not divide ``side`` or leaves more than `MAX_PATCHES`, or ``heads`` does not
            divide ``width``.
    """
    _check_patch(params["patch"], side)
    width, heads = params["width"], params["heads"]
    if width % heads:
        raise SpecError(
            "model.params.heads",
            f"{heads} heads can't share a width of {width} equally; {_divisors(width, 16)} can.",
        )


def _check_patch(patch: int, side: int) -> None:
    fitting = [p for p in range(1, MAX_PATCH + 1) if side % p == 0 and (side // p) ** 2 <= MAX_PATCHES]
    if patch in fitting:
        return
    wrong = (
        f"patches of {patch} pixels don't tile images of {side}"
        if side % patch
        else f"patches of {patch} pixels cut images of {side} into {(side // patch) ** 2:,} pieces, "
        f"and at most {MAX_PATCHES:,} are allowed"
    )
    mend = (
        f"{_listed(fitting)} would do."
        if fitting
        else f"no patch up to {MAX_PATCH} does; use images of {16 * round(side / 16)} pixels instead."
    )
    raise SpecError("model.params.patch", f"{wrong}; {mend}")


def _divisors(number: int, largest: int) -> str:
    return _listed([d for d in range(1, largest + 1) if number % d == 0])


def _listed(numbers: list[int]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} or {last}" if most else last
