"""Repeats of a run: each draws one thing anew and nothing else, and is found again as what it is."""

from typing import NamedTuple

import pytest

from core.catalogues import completed
from core.run.spec import RunSpec, parse
from core.study.repeats import VARIED, differ_in, drawn, pairs, repeats, spreads, what_can_vary
from core.text.seeds import DRAWS, seeds_in_words, with_split

SPEC = completed(parse({"seed": 4, "augment": {"ops": [{"op": "RandomAffine"}]}}))


class Run(NamedTuple):
    id: str
    spec: RunSpec


def runs(specs, name=""):
    return [Run(f"{name}{i}", spec) for i, spec in enumerate(specs)]


@pytest.mark.parametrize("varied", VARIED)
@pytest.mark.parametrize("change", [{}, {"seeds": {"order": 5, "weights": 6}}, {"data": {"split_seed": 5}}])
def test_each_repeat_differs_in_what_varies_and_in_nothing_else(varied, change):
    spec = completed(parse({**SPEC.model_dump(mode="json"), **change}))
    found = [completed(each) for each in repeats(spec, varied, 4)]
    meant = set(drawn(spec)._fields[:4]) if varied == "all" else {varied}
    for new in found:
        apart = {
            name for name in drawn(spec)._fields if getattr(drawn(new), name) != getattr(drawn(spec), name)
        }
        assert apart == meant and differ_in(new, spec) == varied
        rest = {"seed", "seeds", "data"}
        assert new.model_dump(exclude=rest) == spec.model_dump(exclude=rest)
        assert new.data.model_copy(update={"split_seed": None}) == spec.data.model_copy(
            update={"split_seed": None}
        )
    assert len({drawn(each) for each in found}) == 4


def test_what_was_trained_already_is_not_asked_for_again():
    there = repeats(SPEC, "order", 2)
    more = repeats(SPEC, "order", 2, there)
    assert [each.seeds.order for each in (*there, *more)] == [5, 6, 7, 8]
    other = [each.model_copy(update={"train": each.train.model_copy(update={"epochs": 3})}) for each in there]
    assert repeats(SPEC, "order", 2, other) == there  # these are no repeats of it


def test_the_largest_seed_is_followed_by_the_smallest():
    spec = SPEC.model_copy(update={"seed": 2**31 - 1})
    assert repeats(spec, "weights", 1)[0].seeds.weights == 0


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"model": {"arch": "mlp", "params": {"dropout": 0.0}}, "augment": {}}, {"augment", "dropout"}),
        ({"augment": {"mix": {"op": "RandomMixUpV2"}}}, set()),
        ({"augment": {"ops": [{"op": "RandomAffine", "enabled": False}]}}, {"augment"}),
        ({"model": {"arch": "mlp", "params": {"dropout": 0.0}}, "regularisers": [{"kind": "l0"}]}, set()),
    ],
)
def test_only_what_draws_anything_is_offered(change, missing):
    spec = completed(parse({**SPEC.model_dump(mode="json"), "model": {"params": {"dropout": 0.5}}, **change}))
    assert set(VARIED) - set(what_can_vary(spec)) == missing


def test_runs_are_sorted_by_what_varies():
    base = Run("base", SPEC)
    order, everything = repeats(SPEC, "order", 2), repeats(SPEC, "all", 3)
    strangers = [parse({"seed": 5}), everything[0].model_copy(update={"name": "twin"})]
    mixture = [order[0].model_copy(update={"seeds": order[0].seeds.model_copy(update={"weights": 9})})]
    found = spreads(base, runs([*order, *everything, SPEC, *strangers, *mixture]))
    assert {kind: len(group) for kind, group in found.items()} == {"all": 4, "order": 3}
    assert all(base in group for group in found.values())
    assert [each.spec.seed for each in found["all"]] == [4, 5, 6, 7]


def test_a_run_with_the_same_seeds_counts_once():
    one, two = repeats(SPEC, "all", 2)
    found = spreads(Run("base", SPEC), runs([one, one, two]))
    assert [each.id for each in found["all"]] == ["base", "0", "2"]


def test_runs_of_two_groups_are_paired_by_their_seeds():
    ours = runs([SPEC, *repeats(SPEC, "all", 3)], "a")
    theirs = [each.model_copy(update={"regularisers": ()}) for each in repeats(SPEC, "all", 4)]
    found = pairs(ours, runs(reversed(theirs), "b"))
    assert [(a.id, b.id) for a, b in found] == [("a1", "b3"), ("a2", "b2"), ("a3", "b1")]


def test_seeds_in_words():
    assert seeds_in_words(SPEC) == with_split(SPEC) == "seed 4"
    held = parse({"seed": 4, "seeds": {"order": 1, "dropout": 2}, "data": {"split_seed": 9}})
    assert with_split(held) == "seed 4, order 1, dropout 2, split 9"
    assert tuple(DRAWS) == VARIED
