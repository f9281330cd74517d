"""How much faster one warp is than a chain of three: ``python -m tests.benchmarks.fused``.

Both do what a pipeline does after drawing, on the same draws, in paired rounds: first the one, then the
other, so that what else the machine does hits both. The ratio is the median of the rounds' own ratios.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import torch

from core.augment import Pipeline, check
from core.spec import AugmentSpec, OpSpec

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


def compare(names: tuple[str, ...], shape: tuple[int, ...], p: float | None) -> tuple[float, float, float]:
    """Milliseconds of the chain and of the one warp, and the ratio: medians."""
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    spec = check(AugmentSpec(ops=tuple(OpSpec(op=name, p=p) for name in names)), shape[1])
    works = []
    for fuse in (False, True):
        chosen = spec.model_copy(update={"fuse": fuse})
        pipeline = Pipeline(chosen, channels=shape[1], side=shape[-1], seed=0)
        assert len(pipeline.groups) == (1 if fuse else len(names))
        draws = pipeline.draw(shape[0], 0)
        works.append(lambda pipeline=pipeline, draws=draws: pipeline.apply(images, draws))
    rounds = [tuple(milliseconds(work) for work in works) for _ in range(ROUNDS + 3)][3:]
    chain, fused = zip(*rounds, strict=True)
    return (
        statistics.median(chain),
        statistics.median(fused),
        statistics.median(a / b for a, b in rounds),
    )


def main() -> None:
    torch.set_num_threads(int(os.environ.get("AUGURY_THREADS", torch.get_num_threads())))
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, medians of {ROUNDS} paired rounds\n"
    )
    print(f"{'images':18}{'p':9}{'operations':38}{'chain ms':>9}{'fused ms':>9}{'ratio':>7}")
    for shape in SHAPES:
        for names in CHAINS:
            for p in (1.0, None):
                chain, fused, ratio = compare(names, shape, p)
                short = ", ".join(name.removeprefix("Random") for name in names)
                images, chance = "×".join(map(str, shape)), "default" if p is None else f"{p:g}"
                print(f"{images:18}{chance:9}{short:38}{chain:9.2f}{fused:9.2f}{ratio:7.2f}")


if __name__ == "__main__":
    main()
