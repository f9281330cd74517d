"""Any pipeline a person can compose: it runs, or one sentence says which operation and parameter is wrong."""

import json
import math

import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.draws import Draws
from core.augment.pipeline import Pipeline
from core.catalogue import Choice, Flag, Integers, Number, Parameter, Range
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, OpSpec, parse

WORDS = st.text(max_size=20).filter(str.isprintable)  # what is not is shown as U+FFFD
SLOW = {"RandomPlasmaBrightness", "RandomPlasmaContrast", "RandomPlasmaShadow", "RandomThinPlateSpline"}


def number(low: float, high: float, integer: bool) -> st.SearchStrategy[float]:
    between = st.integers(math.ceil(low), math.floor(high)) if integer else st.floats(low, high)
    return between | st.sampled_from([low, high])


def value(parameter: Parameter) -> st.SearchStrategy:
    """Anything in bounds, the bounds themselves often."""
    if isinstance(parameter, Range):
        ends = number(parameter.low, parameter.high, parameter.integer)
        return st.lists(ends, min_size=2, max_size=2).map(sorted)
    if isinstance(parameter, Number):
        return number(parameter.low, parameter.high, parameter.integer)
    if isinstance(parameter, Choice):
        return st.sampled_from(parameter.options)
    if isinstance(parameter, Flag):
        return st.booleans()
    assert isinstance(parameter, Integers)
    ends = st.integers(parameter.low, parameter.high)
    return st.lists(ends, min_size=parameter.min_length, max_size=parameter.max_length)


@st.composite
def operations(draw, channels: int = 3) -> OpSpec:
    """One operation that fits, with any values in bounds."""
    fitting = [name for name, e in OPERATIONS.items() if channels == 3 or not e.colour_only]
    entry = OPERATIONS[draw(st.sampled_from(sorted(set(fitting) - SLOW)))]
    params = {p.name: draw(value(p)) for p in entry.parameters if draw(st.booleans())}
    p = None if entry.fixed_p else draw(st.none() | st.floats(0, 1))
    return OpSpec(op=entry.name, p=p, enabled=draw(st.integers(0, 5)) > 0, params=params)


@st.composite
def pipelines(draw, channels: int = 3, min_size: int = 0) -> AugmentSpec:
    ops = draw(st.lists(operations(channels), min_size=min_size, max_size=5))
    enabled = sum(op.enabled for op in ops)
    choose = draw(st.integers(1, enabled) | st.none()) if enabled else None
    strength = draw(st.just(1.0) | st.floats(0, 2))
    return AugmentSpec(ops=tuple(ops), choose=choose, strength=strength, fuse=draw(st.booleans()))


@given(data=st.data(), channels=st.sampled_from([1, 3]), side=st.sampled_from([8, 13, 28, 33]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_in_bounds_runs(data, channels, side):
    spec = completed_augment(data.draw(pipelines(channels)), channels)
    images = torch.rand(3, channels, side, side, generator=torch.Generator().manual_seed(side))
    before = images.clone()
    pipeline = Pipeline(spec, channels=channels, side=side, seed=data.draw(st.integers(0, 2**31 - 1)))
    draws = pipeline.draw(3, 1)
    after = pipeline.apply(images, draws)
    assert after.shape == images.shape and after.isfinite().all()
    assert after.min() >= 0 and after.max() <= 1 and torch.equal(images, before)
    assert sorted(i for group in pipeline.groups for i in group) == list(range(len(pipeline.ops)))
    assert all(len(draws.describe(i)) == len(pipeline.ops) for i in range(3))
    assert torch.equal(pipeline(images, 1), after)


MISTAKES = st.sampled_from(["name", "parameter", "below", "above", "kind", "order", "colour", "p"])


@given(data=st.data(), mistake=MISTAKES)
@settings(max_examples=200, deadline=None)
def test_what_is_wrong_is_said_with_its_operation_and_parameter(data, mistake):
    """Through JSON, as a person's file or address arrives."""
    ops = [json.loads(op.model_dump_json()) for op in data.draw(pipelines(3, min_size=1)).ops]
    i = data.draw(st.integers(0, len(ops) - 1))
    entry, channels = OPERATIONS[ops[i]["op"]], 3
    numbers = [p for p in entry.parameters if isinstance(p, Number | Range)]
    ranges = [p for p in entry.parameters if isinstance(p, Range) and p.low < p.high]
    where = f"augment.ops[{i}]"
    if mistake == "name":
        ops[i]["op"] = data.draw(WORDS.filter(lambda text: text not in OPERATIONS))
        where += ".op"
    elif mistake == "parameter":
        known = {p.name for p in entry.parameters}
        wrong = data.draw(WORDS.filter(lambda text: text not in known))
        ops[i]["params"] = {wrong: 1}
        where += f".params.{wrong}"
    elif mistake in ("below", "above"):
        assume(numbers)
        p = data.draw(st.sampled_from(numbers))
        far = data.draw(st.floats(0.001, 1e6)) * (-1 if mistake == "below" else 1)
        wrong = (p.low if mistake == "below" else p.high) + far
        ops[i]["params"] = {p.name: [wrong, wrong] if isinstance(p, Range) else wrong}
        where += f".params.{p.name}"
    elif mistake == "kind":
        assume(entry.parameters)
        p = data.draw(st.sampled_from(entry.parameters))
        ops[i]["params"] = {p.name: data.draw(st.sampled_from(["", "much", [], [1, 2, 3, 4, 5, 6, 7, 8]]))}
        where += f".params.{p.name}"
    elif mistake == "order":
        assume(ranges)
        p = data.draw(st.sampled_from(ranges))
        ops[i]["params"] = {p.name: [p.high, p.low]}
        where += f".params.{p.name}"
    elif mistake == "colour":
        ops = [{"op": "RandomGaussianNoise"}, {"op": "RandomHue"}]
        where, channels = "augment.ops[1].op", 1
    else:
        ops[i]["p"] = data.draw(st.floats(1.001, 1e9) | st.floats(-1e9, -0.001))
        where += ".p"
    try:
        completed_augment(parse({"augment": {"ops": ops}}).augment, channels)
    except SpecError as error:
        assert error.where.startswith(where)
        assert str(error).isprintable() and error.what[-1] in ".?"
        if ".params." in error.where:
            assert ops[i]["op"] in error.what
    else:
        raise AssertionError("it was not refused")


def same(a: Draws, i: int, b: Draws, j: int) -> bool:
    """Whether operation ``i`` of ``a`` drew, bit for bit, what operation ``j`` of ``b`` did."""
    first, second = a.ops[i].params, b.ops[j].params
    assert first is not None and second is not None
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def drawn(spec: AugmentSpec, step: int) -> tuple[list[tuple[str, int | None]], Draws]:
    """Which operations are on, by name and stream, and their draws."""
    draws = Pipeline(completed_augment(spec, 3), channels=3, side=12, seed=5).draw(4, step)
    return [(op.op, op.stream) for op in spec.ops if op.enabled], draws


@given(data=st.data(), step=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_an_edit_leaves_all_other_draws_bit_identical(data, step):
    """Toggle, move, edit, duplicate, remove, fuse: whoever is not edited draws the same."""
    spec = data.draw(pipelines(3, min_size=2)).model_copy(update={"choose": None})
    names, before = drawn(spec, step)
    ops = list(spec.ops)
    i, j = (data.draw(st.integers(0, len(ops) - 1)) for _ in range(2))
    victim, changed = (ops[i].op, ops[i].stream), dict(spec)
    move = data.draw(st.sampled_from(["toggle", "move", "edit", "duplicate", "remove", "fuse"]))
    if move == "toggle":
        ops[i] = ops[i].model_copy(update={"enabled": not ops[i].enabled})
    elif move == "move":
        ops.insert(j, ops.pop(i))
    elif move == "edit":
        entry = OPERATIONS[ops[i].op]
        ops[i] = ops[i].model_copy(update={"params": {p.name: data.draw(value(p)) for p in entry.parameters}})
    elif move == "duplicate":
        ops.insert(j, ops[i].model_copy(update={"stream": None}))
    elif move == "remove":
        del ops[i]
    else:
        changed["fuse"] = not spec.fuse
    others, after = drawn(AugmentSpec(**{**changed, "ops": tuple(ops)}), step)
    untouched = [name for name in names if name != victim or move in ("move", "duplicate", "fuse")]
    assert all(same(before, names.index(name), after, others.index(name)) for name in untouched)
