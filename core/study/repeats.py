"""Repeats of a run: which further runs differ from it by one kind of chance, and which runs there are do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeVar, get_args

from core.models.dropout import DROPOUTS
from core.regularise.catalogue import REGULARISERS
from core.run.spec import PURPOSES, RunSpec, SeedsSpec

# What the seeds of repeats draw anew: all but which images are kept, or one thing alone.
Varied = Literal["all", "order", "weights", "augment", "dropout", "split"]
VARIED: tuple[Varied, ...] = get_args(Varied)
FEWEST, MOST = 2, 10  # runs, with the one that is repeated
SEEDS = 2**31


class Run(Protocol):
    """A run, stored or seen."""

    @property
    def id(self) -> str: ...

    @property
    def spec(self) -> RunSpec: ...


R = TypeVar("R", bound=Run)


class Drawn(NamedTuple):
    """The seed that is in force for each purpose, and for which images are kept."""

    order: int
    weights: int
    augment: int
    dropout: int
    split: int


def drawn(spec: RunSpec) -> Drawn:
    seeds = {purpose: spec.seed_of(purpose) for purpose in PURPOSES}
    return Drawn(**seeds, split=spec.split_seed)


def group_of_repeats(run_id: str, varied: Varied) -> str:
    """What the group of a run's repeats is called: it says what varies."""
    return f"{run_id}-{varied}"


def repeated_in(group: str | None) -> tuple[str, Varied] | None:
    """The run that a group repeats, and what varies in it; None: it is another kind of group."""
    run_id, _, varied = (group or "").partition("-")
    kind = next((each for each in VARIED if each == varied), None)
    return (run_id, kind) if kind and re.fullmatch("[0-9a-f]{32}", run_id) else None


def what_can_vary(spec: RunSpec) -> list[Varied]:
    """Of which chance a run of ``spec``, completed, has any: without augmentation its seed draws nothing."""
    augments = spec.augment.mix is not None or any(op.enabled for op in spec.augment.ops)
    silences = any(spec.model.params.get(name) for name in DROPOUTS) or any(
        each.kind in REGULARISERS and REGULARISERS[each.kind].gates for each in spec.regularisers
    )
    none: dict[Varied, bool] = {"augment": not augments, "dropout": not silences}
    return [each for each in VARIED if not none.get(each)]


def repeats(spec: RunSpec, varied: Varied, count: int, taken: Iterable[RunSpec] = ()) -> list[RunSpec]:
    """``count`` specs that differ from ``spec`` in these seeds alone, each the next one that is free.

    Args:
        taken: runs that there are already; none of them is asked for again.
    """
    before = {drawn(each) for each in (spec, *taken) if but_seeds(each) == but_seeds(spec)}
    found: list[RunSpec] = []
    seed = getattr(drawn(spec), varied, spec.seed)
    while len(found) < count:
        seed = (seed + 1) % SEEDS
        new = _with(spec, varied, seed)
        if drawn(new) not in before and differ_in(new, spec) == varied:
            found.append(new)
    return found


def _with(spec: RunSpec, varied: Varied, seed: int) -> RunSpec:
    data = spec.data.model_copy(update={"split_seed": spec.split_seed})
    if varied == "all":
        return spec.model_copy(update={"seed": seed, "seeds": SeedsSpec(), "data": data})
    if varied == "split":
        return spec.model_copy(update={"data": data.model_copy(update={"split_seed": seed})})
    seeds = spec.seeds.model_copy(update={varied: seed})
    return spec.model_copy(update={"seeds": seeds, "data": data})


def but_seeds(spec: RunSpec) -> RunSpec:
    """What runs have in common that differ by chance alone; a name is nothing of it."""
    data = spec.data.model_copy(update={"split_seed": None})
    return spec.model_copy(update={"seed": 0, "seeds": SeedsSpec(), "name": "", "data": data})


def differ_in(spec: RunSpec, other: RunSpec) -> Varied | None:
    """By which chance alone two specs differ: one kind, or all but the split; None: by none, by another
    mixture, or by more than chance."""
    ours, theirs = drawn(spec), drawn(other)
    apart = {name for name, a, b in zip(Drawn._fields, ours, theirs, strict=True) if a != b}
    if apart == set(PURPOSES):
        kind: Varied | None = "all"
    else:
        kind = next((each for each in VARIED if apart == {each}), None)
    return kind if kind and but_seeds(spec) == but_seeds(other) else None


def spreads(run: R, others: Iterable[R]) -> dict[Varied, list[R]]:
    """By what varies, ``run`` and those of ``others`` that differ from it and from each other in that alone;
    each group by its seeds. Of several with the same seeds the first counts."""
    found: dict[Varied, list[R]] = {}
    for other in others:
        kind = differ_in(other.spec, run.spec) if other.id != run.id else None
        if kind is None:
            continue
        group = found.setdefault(kind, [run])
        if all(differ_in(other.spec, each.spec) == kind for each in group):
            group.append(other)
    return {kind: sorted(found[kind], key=lambda each: drawn(each.spec)) for kind in VARIED if kind in found}


def pairs(ours: Sequence[R], theirs: Sequence[R]) -> list[tuple[R, R]]:
    """Which runs of two groups have the same seeds, each with the other, in the order of their seeds."""
    other = {drawn(each.spec): each for each in theirs}
    both = [(each, other[drawn(each.spec)]) for each in ours if drawn(each.spec) in other]
    return sorted(both, key=lambda pair: drawn(pair[0].spec))
