"""Seeds in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.run.spec import RunSpec
from core.text.describe import title
from core.text.differs import Contrast

# What a seed draws: the run's own all of it, and each that may be held apart.
DRAWS = {
    "all": "all but the split",
    "order": "data order",
    "weights": "initialisation",
    "augment": "augmentation",
    "dropout": "dropout",
    "split": "split",
}
_SHORT = DRAWS | {"order": "order", "weights": "start"}  # for lists, whose lines are cut off


def seeds_in_words(spec: RunSpec) -> str:
    """E.g. ``seed 3`` or ``seed 3, order 5``; the split's is not told."""
    apart = [f"{_SHORT[purpose]} {seed}" for purpose, seed in spec.seeds if seed is not None]
    return ", ".join([f"seed {spec.seed}", *apart])


def held_apart(spec: RunSpec) -> list[str]:
    """E.g. ``["data order 5"]``: the seeds that are not the run's own."""
    return [f"{DRAWS[purpose]} {seed}" for purpose, seed in spec.seeds if seed not in (None, spec.seed)]


def other_seeds(spec: RunSpec, base: RunSpec) -> list[Contrast]:
    """Which seeds two runs have otherwise, as they are given: ``seed 1 instead of 0``, ``data order 5 instead
    of 0``."""
    found = [Contrast(f"seed {spec.seed}", f"seed {base.seed}")] if spec.seed != base.seed else []
    for purpose, seed in spec.seeds:
        other = getattr(base.seeds, purpose)
        if seed != other:
            name = DRAWS[purpose]
            ours, theirs = (_apart(each, whole.seed) for each, whole in ((seed, spec), (other, base)))
            found.append(Contrast(f"{name} {ours}", f"{name} {theirs}"))
    return found


def with_split(spec: RunSpec) -> str:
    """The same with the split's, where that is another than the run's own, and the fold that is judged."""
    split = "" if spec.split_seed == spec.seed else f", split {spec.split_seed}"
    fold = "" if spec.data.fold is None else f", fold {spec.data.fold}"
    return f"{seeds_in_words(spec)}{split}{fold}"


def told_apart(titles: Sequence[str], specs: Sequence[RunSpec]) -> list[str | None]:
    """Of each run what tells it from the others of its title: nothing needed, or its seeds, as ``seed 2``;
    None: seeds do not tell."""
    shortest = Counter(zip(titles, map(seeds_in_words, specs), strict=True))
    whole = Counter(zip(titles, map(with_split, specs), strict=True))
    return [
        ""
        if titles.count(name) == 1
        else seeds_in_words(spec)
        if shortest[name, seeds_in_words(spec)] == 1
        else with_split(spec)
        if whole[name, with_split(spec)] == 1
        else None
        for name, spec in zip(titles, specs, strict=True)
    ]


def called(specs: Sequence[RunSpec]) -> list[str]:
    """What to call each of several runs: by its title, and with what tells it from others of that title, its
    seeds or else its number."""
    titles = [title(spec) for spec in specs]
    return [
        name if apart == "" else f"{name}, {apart or f'run {i}'}"
        for i, (name, apart) in enumerate(zip(titles, told_apart(titles, specs), strict=True), 1)
    ]


def _apart(seed: int | None, own: int) -> str:
    return str(own if seed is None else seed)
