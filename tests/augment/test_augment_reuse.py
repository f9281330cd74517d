"""What is found again is what would be computed anew, and nothing else is computed."""

import threading

import kornia.augmentation as K
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.pipeline import Pipeline
from core.augment.reuse import Reuse
from core.catalogue import Number, Range
from core.run.spec import AugmentSpec, OpSpec

IMAGES = torch.rand(4, 3, 13, 13, generator=torch.Generator().manual_seed(0))
SLOW = {"RandomPlasmaBrightness", "RandomThinPlateSpline"}
QUICK = sorted(name for name, entry in OPERATIONS.items() if entry.group != "policy" and name not in SLOW)


def build(spec: AugmentSpec, seed: int = 5) -> Pipeline:
    return Pipeline(completed_augment(spec, 3), channels=3, side=13, seed=seed)


def through(spec: AugmentSpec, reuse: Reuse, step: int = 0, seed: int = 5) -> torch.Tensor:
    pipeline = build(spec, seed)
    return pipeline.apply(IMAGES, pipeline.draw(4, step, reuse), reuse, "images")


def equal(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(some, others, strict=True))


def narrower(op: OpSpec) -> OpSpec:
    """The operation with its first range narrowed to one end, or its first number made larger."""
    for parameter in OPERATIONS[op.op].parameters:
        if isinstance(parameter, Range):
            return op.model_copy(update={"params": {parameter.name: [parameter.default[1]] * 2}})
        if isinstance(parameter, Number):
            return op.model_copy(update={"params": {parameter.name: parameter.high}})
    return op


@st.composite
def edits(draw) -> list[AugmentSpec]:
    """A pipeline, and what a person made of it move by move."""
    names = draw(st.lists(st.sampled_from(QUICK), min_size=1, max_size=4))
    specs = [AugmentSpec(ops=tuple(OpSpec(op=name) for name in names), fuse=draw(st.booleans()))]
    for _ in range(draw(st.integers(1, 4))):
        ops = list(specs[-1].ops)
        i, j = (draw(st.integers(0, len(ops) - 1)) for _ in range(2))
        move = draw(st.sampled_from(["switch", "swap", "edit", "add", "strength", "fuse", "choose"]))
        update = {}
        if move == "switch":
            ops[i] = ops[i].model_copy(update={"enabled": not ops[i].enabled})
        elif move == "swap":
            ops[i], ops[j] = ops[j], ops[i]
        elif move == "edit":
            ops[i] = narrower(ops[i])
        elif move == "add":
            ops.insert(i, OpSpec(op=draw(st.sampled_from(QUICK))))
        elif move == "strength":
            update = {"strength": draw(st.sampled_from([0.5, 1.0, 1.5]))}
        elif move == "fuse":
            update = {"fuse": not specs[-1].fuse}
        elif any(op.enabled for op in ops):
            update = {"choose": 1}
        if not any(op.enabled for op in ops):
            update = {"choose": None}
        specs.append(AugmentSpec(**{**dict(specs[-1]), "ops": tuple(ops), **update}))
    return specs


@given(specs=edits(), max_bytes=st.sampled_from([10**4, 10**5, 10**9]))
@settings(max_examples=40, deadline=None)
def test_what_is_found_again_is_what_would_be_computed(specs, max_bytes):
    reuse = Reuse(max_bytes)
    for spec in [*specs, *reversed(specs)]:
        pipeline = build(spec)
        draws = pipeline.draw(4, 3, reuse)
        expected = build(spec)(IMAGES, 3)
        assert torch.equal(pipeline.apply(IMAGES, draws, reuse, "images"), expected)
        after = pipeline.step_by_step(IMAGES, draws, reuse, "images")
        alone = build(spec)
        assert equal(after, alone.step_by_step(IMAGES, alone.draw(4, 3)))
        assert reuse.bytes <= max_bytes


def calls(monkeypatch, *names: str) -> list[str]:
    """Which of these operations are drawn or applied from here on."""
    seen: list[str] = []
    for name in names:
        cls = getattr(K, name)
        draw, apply = cls.forward_parameters, cls.apply_transform

        def drawing(self, shape, draw=draw, name=name):
            seen.append(f"draw {name}")
            return draw(self, shape)

        def applying(self, *args, apply=apply, name=name, **kwargs):
            seen.append(f"apply {name}")
            return apply(self, *args, **kwargs)

        monkeypatch.setattr(cls, "forward_parameters", drawing)
        monkeypatch.setattr(cls, "apply_transform", applying)
    return seen


def test_moving_one_slider_draws_and_applies_no_more_than_it_must(monkeypatch):
    names = ("RandomPerspective", "RandomGaussianNoise", "RandomGamma")
    ops = [OpSpec(op=name) for name in names]
    reuse, seen = Reuse(), calls(monkeypatch, *names)
    through(AugmentSpec(ops=tuple(ops)), reuse)
    assert seen == [f"draw {name}" for name in names] + [f"apply {name}" for name in names]

    seen.clear()
    through(AugmentSpec(ops=tuple(ops)), reuse)
    assert seen == []

    through(AugmentSpec(ops=(*ops[:2], narrower(ops[2]))), reuse)
    assert seen == ["draw RandomGamma", "apply RandomGamma"]

    seen.clear()
    through(AugmentSpec(ops=(narrower(ops[0]), *ops[1:])), reuse)
    assert seen == ["draw RandomPerspective", *(f"apply {name}" for name in names)]


def test_other_steps_seeds_and_images_are_other_keys():
    spec, reuse = AugmentSpec(ops=(OpSpec(op="RandomAffine"),)), Reuse()
    first = through(spec, reuse)
    assert not torch.equal(through(spec, reuse, step=1), first)
    assert not torch.equal(through(spec, reuse, seed=6), first)
    pipeline = build(spec)
    others = pipeline.apply(1 - IMAGES, pipeline.draw(4, 0, reuse), reuse, "other images")
    assert torch.equal(others, build(spec)(1 - IMAGES, 0))


def test_what_is_kept_is_never_changed():
    ops = tuple(OpSpec(op=name) for name in QUICK)
    spec, reuse = AugmentSpec(ops=ops), Reuse(10**9)
    pipeline = build(spec)
    draws = pipeline.draw(4, 0, reuse)
    after = pipeline.step_by_step(IMAGES, draws, reuse, "images")
    kept = [*after, *(t for op in draws.ops for t in op.params.values() if isinstance(t, torch.Tensor))]
    before = [tensor.clone() for tensor in kept]
    for edited in (ops[::-1], ops[1:], tuple(narrower(op) for op in ops)):
        through(AugmentSpec(ops=edited), reuse)
    assert equal(kept, before)


def test_it_keeps_what_was_used_last_within_its_bytes():
    reuse, kilobyte = Reuse(4096), torch.zeros(256)

    def keep(key: int, value: object) -> bool:
        """Whether it had to be computed."""
        computed = []
        assert reuse.find(key, lambda: computed.append(1) or value) is not None
        return bool(computed)

    values = [kilobyte.clone() for _ in range(4)]
    assert all(keep(key, value) for key, value in enumerate(values))
    assert reuse.bytes == 4096 and not keep(0, None)  # used last
    assert keep(4, {"a": kilobyte[:1].clone().expand(256), "b": [kilobyte[:128].clone()]})  # 516 bytes held
    assert reuse.bytes == 3 * 1024 + 516
    assert not any(keep(key, None) for key in (0, 2, 3, 4))
    assert keep(5, torch.zeros(1025)) and keep(5, torch.zeros(1025))  # too large to be kept
    assert reuse.bytes == 3 * 1024 + 516 and keep(1, values[1])


def test_threads_may_share_it():
    reuse = Reuse(20_000)
    specs = [AugmentSpec(ops=(OpSpec(op=first), OpSpec(op="RandomGaussianNoise"))) for first in QUICK[:8]]
    expected = [build(spec)(IMAGES, 0) for spec in specs]
    right: list[bool] = []

    def work() -> None:
        for _ in range(3):
            right.extend(map(torch.equal, [through(spec, reuse) for spec in specs], expected))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(right) == 72 and all(right) and reuse.bytes <= 20_000
