"""How many images a second are augmented, by us and by others, from the same bytes to the same tensor.

Each way gets one thread. A loop over images takes more cores by more workers and a batch by torch's
threads; what they do with one core is what compares.
"""

from __future__ import annotations

import statistics
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from core.augment.check import completed_augment
from core.bench.contenders import CONTENDERS, Batch, installed
from core.bench.paired import ratio
from core.presets import FIRST_LOOK
from core.randomness import generator
from core.run.spec import AugmentSpec, OpSpec
from core.runtime import prepare_torch

ROUNDS = 5
BATCH_SIZE = 128
SHAPES = ((1, 28), (3, 224))  # channels, side
SECONDS = 0.1  # each way runs at least so long in each round: many small batches, or one large
EVEN = 0.05  # what differs by less is called even
WIDTH = 128  # characters of a line of text
PIPELINES: dict[str, tuple[OpSpec, ...]] = {
    "horizontal flip, p 0.5": (OpSpec(op="RandomHorizontalFlip", p=0.5),),
    "rotation": (OpSpec(op="RandomRotation", p=1.0),),
    "affine": (OpSpec(op="RandomAffine", p=1.0),),
    "affine, erasing, noise": FIRST_LOOK.augment.ops,
    "contrast, brightness": (OpSpec(op="RandomContrast", p=1.0), OpSpec(op="RandomBrightness", p=1.0)),
    "Gaussian blur": (OpSpec(op="RandomGaussianBlur", p=1.0),),
    "resized crop": (OpSpec(op="RandomResizedCrop", p=1.0),),
    "rotation, shift, shear": (
        OpSpec(op="RandomRotation", p=1.0),
        OpSpec(op="RandomTranslate", p=1.0),
        OpSpec(op="RandomShear", p=1.0),
    ),
}


def measure(
    rounds: int,
    *,
    batch_size: int = BATCH_SIZE,
    shapes: Sequence[tuple[int, int]] = SHAPES,
    pipelines: Mapping[str, tuple[OpSpec, ...]] = PIPELINES,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Images a second of every contender that is installed, for each pipeline and shape."""
    rows = []
    prepare_torch()
    with _one_thread():
        for channels, side in shapes:
            shape = f"{channels}×{side}×{side}"
            # What an image shows costs none of these operations more or less.
            images = torch.randint(
                256, (batch_size, channels, side, side), dtype=torch.uint8, generator=generator(0)
            )
            for name, ops in pipelines.items():
                print(f"augmentation at {shape}: {name} …", file=sys.stderr, flush=True)
                rates = _rates(completed_augment(AugmentSpec(ops=ops), channels).ops, images, rounds, seconds)
                rows.append(_row(shape, name, rates))
    return {"threads": 1, "batch_size": batch_size, "rounds": rounds, "rows": rows}


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _rates(ops: tuple[OpSpec, ...], images: Tensor, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Each contender's images a second, by round; who goes first changes from round to round."""
    batches = {name: CONTENDERS[name](ops, images) for name in installed()}
    for batch in batches.values():
        batch(0)  # warm
    rates: dict[str, list[float]] = {name: [] for name in batches}
    names = list(batches)
    for i in range(rounds):
        first = i % len(names)
        for name in names[first:] + names[:first]:
            rates[name].append(len(images) * _batches_per_second(batches[name], seconds))
    return rates


def _batches_per_second(batch: Batch, seconds: float) -> float:
    began, count, took = time.perf_counter(), 0, 0.0
    while took < seconds or not count:
        count += 1
        batch(count)
        took = time.perf_counter() - began
    return count / took


def _row(shape: str, pipeline: str, rates: dict[str, list[float]]) -> dict[str, Any]:
    return {
        "shape": shape,
        "pipeline": pipeline,
        "rates": rates,
        "images_per_second": {name: statistics.median(values) for name, values in rates.items()},
        "ours_ratio_to": {
            name: ratio(rates["ours"], values) for name, values in rates.items() if name != "ours"
        },
    }


def table(measured: dict[str, Any]) -> str:
    """The rows as text, and a sentence for each of the others: where we win, and where we lose."""
    rows = measured["rows"]
    names = list(rows[0]["images_per_second"])
    others = names[1:]
    head = (
        f"Augmentation: uint8 batches of {measured['batch_size']} to float32 in [0, 1], one thread each, "
        f"{measured['rounds']} rounds; medians, ratios paired within a round. Kornia: its "
        "AugmentationSequential; albumentations and Pillow: an image at a time, in 8 bits."
    )
    lines = [textwrap.fill(head, WIDTH)]
    for shape in dict.fromkeys(row["shape"] for row in rows):
        lines += ["", f"{'':<23}{'images/s':>{15 * len(names)}}{'ours to theirs':>{15 * len(others)}}"]
        lines += [f"{shape:<23}" + "".join(f"{name:>15}" for name in names + others)]
        lines += [_line(row) for row in rows if row["shape"] == shape]
    lines += ["", *(textwrap.fill(verdict(rows, other), WIDTH) for other in others)]
    return "\n".join([*lines, *_missing(names)])


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['pipeline']:<23}"
        + "".join(f"{rate:>15,.0f}" for rate in row["images_per_second"].values())
        + "".join(f"{ratio:>15.2f}" for ratio in row["ours_ratio_to"].values())
    )


def verdict(rows: Sequence[dict[str, Any]], other: str) -> str:
    """In how many rows we are faster, even and slower; every one where we are slower, with our share of
    the other's rate."""
    faster, even, slower = 0, 0, dict[str, list[str]]()
    for row in rows:
        ratio = row["ours_ratio_to"][other]
        if ratio >= 1 + EVEN:
            faster += 1
        elif ratio > 1 - EVEN:
            even += 1
        else:
            slower.setdefault(row["shape"], []).append(f"{row['pipeline']} {ratio:.2f}")
    losses = "; ".join(f"at {shape} {', '.join(each)}" for shape, each in slower.items())
    return (
        f"Faster than {other} in {faster} of {len(rows)}, within {100 * EVEN:.0f} % in {even}, slower in "
        f"{len(rows) - faster - even}{f' ({losses})' if losses else ''}."
    )


def _missing(names: Sequence[str]) -> list[str]:
    return [
        f"{name}: not installed; pip install -r requirements-bench.txt"
        for name in CONTENDERS
        if name not in names
    ]
