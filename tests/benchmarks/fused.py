"""How much faster one warp is than a chain of three: ``python -m tests.benchmarks.fused``.

Of two chains: Kornia's own calls one after the other, and a pipeline that is not fused, which gives their
numbers faster. All do what comes after drawing, on the same draws, in paired rounds: one after the other,
so that what else the machine does hits all. A ratio is the median of the rounds' own ratios.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import torch

from core.augment.check import completed_augment
from core.augment.pipeline import Pipeline
from core.bench.paired import ratio
from core.run.spec import AugmentSpec, OpSpec

CHAINS = (
    ("RandomRotation", "RandomTranslate", "RandomShear"),
    ("RandomAffine", "RandomPerspective", "RandomHorizontalFlip"),
)
SHAPES = ((256, 1, 28, 28), (32, 3, 224, 224))
ROUNDS = 25


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def compare(names: tuple[str, ...], shape: tuple[int, ...], p: float | None) -> list[tuple[float, float]]:
    """Milliseconds of Kornia's chain, of ours and of the one warp, each with its ratio to the last."""
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    spec = completed_augment(AugmentSpec(ops=tuple(OpSpec(op=name, p=p) for name in names)), shape[1])
    works = []
    for fuse in (False, True):
        chosen = spec.model_copy(update={"fuse": fuse})
        pipeline = Pipeline(chosen, channels=shape[1], side=shape[-1], seed=0)
        assert len(pipeline.groups) == (1 if fuse else len(names))
        draws = pipeline.draw(shape[0], 0)
        works.append(lambda pipeline=pipeline, draws=draws: pipeline.apply(images, draws))

    def kornia() -> torch.Tensor:
        after = images
        for op, drawn in zip(pipeline.ops, draws.ops, strict=True):
            after = op.module(after, params=drawn.params).clamp(0, 1)
        return after

    assert torch.equal(kornia(), works[0]())
    rounds = [[milliseconds(work) for work in (kornia, *works)] for _ in range(ROUNDS + 3)][3:]
    fused = [each[-1] for each in rounds]
    return [(statistics.median(way), ratio(way, fused)) for way in zip(*rounds, strict=True)]


def main() -> None:
    torch.set_num_threads(int(os.environ.get("AUGURY_THREADS", torch.get_num_threads())))
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, medians of {ROUNDS} paired rounds\n"
    )
    print(f"{'images':18}{'p':9}{'operations':38}{'Kornia ms':>17}{'chain ms':>17}{'fused ms':>9}")
    for shape in SHAPES:
        for names in CHAINS:
            for p in (1.0, None):
                *chains, (fused, _) = compare(names, shape, p)
                short = ", ".join(name.removeprefix("Random") for name in names)
                images, chance = "×".join(map(str, shape)), "default" if p is None else f"{p:g}"
                told = "".join(f"{ms:9.2f} ({times:.2f}×)" for ms, times in chains)
                print(f"{images:18}{chance:9}{short:38}{told}{fused:9.2f}")


if __name__ == "__main__":
    main()
