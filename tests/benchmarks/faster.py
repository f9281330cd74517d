"""How many times as fast as Kornia's own calls our faster ways are: ``python -m tests.benchmarks.faster``.

Each operation at the catalogue's values, on the same images and draws, in paired rounds.
"""

from __future__ import annotations

import statistics

import torch

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.fast.operations import FAST
from core.augment.pipeline import Pipeline
from core.bench.paired import ratio
from core.run.spec import AugmentSpec, OpSpec
from core.runtime import prepare_torch
from tests.benchmarks.fused import milliseconds

SHAPES = ((128, 1, 28, 28), (16, 3, 224, 224))
ROUNDS = 60


def compare(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Milliseconds of the faster way, a median, and how many times as fast it is."""
    p = None if OPERATIONS[name].fixed_p else 0.5
    spec = completed_augment(AugmentSpec(ops=(OpSpec(op=name, p=p),)), shape[1])
    pipeline = Pipeline(spec, channels=shape[1], side=shape[-1], seed=0)
    images, draws = torch.rand(shape, generator=torch.Generator().manual_seed(0)), pipeline.draw(shape[0], 0)
    ((op,), (drawn,)) = pipeline.ops, draws.ops
    assert type(op.module) in FAST

    def kornia() -> torch.Tensor:
        return op.module(images, params=drawn.params).clamp(0, 1)

    def ours() -> torch.Tensor:
        return pipeline.apply(images, draws)

    assert torch.equal(kornia(), ours())
    rounds = [[milliseconds(work) for work in (kornia, ours)] for _ in range(ROUNDS + 3)][3:]
    theirs, own = zip(*rounds, strict=True)
    return statistics.median(own), ratio(theirs, own)


def main() -> None:
    prepare_torch()
    names = [name for name in OPERATIONS if name in {kind.__name__ for kind in FAST}]
    print(f"{torch.get_num_threads()} threads, p = 0.5, medians of {ROUNDS} paired rounds\n")
    print(f"{'':28}" + "".join(f"{'×'.join(map(str, shape)):>22}" for shape in SHAPES))
    for name in names:
        told = (f"{ms:.2f} ms, {times:.1f}×" for ms, times in (compare(name, shape) for shape in SHAPES))
        print(f"{name:28}" + "".join(f"{each:>22}" for each in told))


if __name__ == "__main__":
    main()
