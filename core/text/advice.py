"""What to try when a strength can't be right: nothing is left, the data has no say, or nothing is done."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.catalogue import title_of
from core.measure.near import NEAR
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS
from core.regularise.catalogue import REGULARISERS
from core.regularise.schedule import strength_at
from core.run.spec import RegulariserSpec, RunSpec
from core.text.shares import percent

STILL = 3  # epochs in a row in which nothing was learnt
ERRORS = 2  # standard errors of an accuracy: what is closer to chance may be chance
DWARFED = 100  # times the data loss: a penalty that leaves it no say
UNLEARNT = 0.6  # nats; to guess between two classes costs 0.69, among more it costs more
WILD = 1.5  # times the loss of guessing: steps that were too large
HOPELESS = 30  # times the default: no warm-up makes a strength above that a good one


def advise(event: Mapping[str, Any], spec: RunSpec) -> str:
    """What is wrong with the strengths of ``spec``, completed, and what to try, in a sentence or two.

    Args:
        event: an ``epoch`` event of its run.

    Returns:
        "" if there is nothing to say.
    """
    strong = [each for each in spec.regularisers if each.strength and _on_weights(each)]
    if strong and (what := _what_is_lost(event, spec)):
        culprit = max(strong, key=_times_the_default)
        return f"{what}: {_symbol(culprit)} is too strong. {_instead(culprit, spec)}"
    idle = [title_of(REGULARISERS, each.kind) for each in spec.regularisers if each.strength == 0]
    if not idle:
        return ""
    return f"{_listed(idle)} at strength 0 {'change' if len(idle) > 1 else 'changes'} nothing."


def stuck(epochs: Sequence[Mapping[str, Any]], total: int, spec: RunSpec) -> str:
    """That a run which still goes has learnt nothing for a while, and what to try; else empty.

    Args:
        epochs: its ``epoch`` events so far, of ``total``.
        spec: as it is now, completed.
    """
    last = epochs[-STILL:]
    matrix = last[-1].get("confusion") if len(epochs) >= max(STILL, total / 4) else None
    if not matrix:
        return ""
    images = [sum(row) for row in matrix]  # of each class
    share = max(images) / sum(images)
    bound = share + ERRORS * math.sqrt(share * (1 - share) / sum(images))
    if bound >= 1 or any(each["validation_accuracy"] > bound for each in last):
        return ""
    return (
        f"For {STILL} epochs the network can't be told from one that always names the largest class, "
        f"{percent(share)} of the {sum(images):,} validation images. Stop it, or branch from an earlier "
        f"epoch, with {_other_rate(epochs, bound, len(images), spec)}."
    )


def _other_rate(epochs: Sequence[Mapping[str, Any]], bound: float, classes: int, spec: RunSpec) -> str:
    """Lower, if the network had learnt something and lost it, or its loss was far above that of guessing."""
    usual = OPTIMISERS[spec.optimiser.kind].lr_default
    lr = spec.optimiser.lr or usual
    wild = any(
        each["validation_accuracy"] > bound or (each.get("train_loss") or 0.0) > WILD * math.log(classes)
        for each in epochs
    )
    if wild or lr > usual:
        return f"a lower learning rate, such as {lr / 10:.3g} instead of {lr:g}"
    if lr < usual:
        return f"a higher learning rate, such as {min(10 * lr, usual):.3g} instead of {lr:g}"
    return "another learning rate, higher or lower"


def unreached(spec: RunSpec) -> list[tuple[int, str]]:
    """Regularisers whose strength will not be reached, before a run of ``spec``, completed, is started.

    Returns:
        The index of each in ``spec.regularisers``, and a sentence that says where it will end.
    """
    epochs, found = spec.train.epochs, []
    for i, each in enumerate(spec.regularisers):
        if each.strength and each.warmup_epochs > epochs:
            symbol = REGULARISERS[each.kind].symbol if each.kind in REGULARISERS else "λ"
            does = (
                f"rises over {each.warmup_epochs} epochs, and the run has {epochs}: it will end at "
                f"{strength_at(each, epochs):.2g} of {each.strength:g}"
                if each.schedule != "step"
                else f"begins after {each.warmup_epochs} epochs, and the run has {epochs}: it will do nothing"
            )
            found.append((i, f"{symbol} of {title_of(REGULARISERS, each.kind)} {does}."))
    return found


def unreleased(spec: RunSpec) -> list[str]:
    """A sentence for each penalty that a run of ``spec``, completed, would release after its end."""
    epochs = spec.train.epochs
    return [
        f"{title_of(REGULARISERS, each.kind)} is released after {each.release_epochs} epochs, and the run "
        f"has {epochs}: it will not be released."
        for each in spec.regularisers
        if each.release_epochs >= epochs
    ]


def kept_too_early(spec: RunSpec) -> str:
    """A sentence where a run of ``spec``, completed, may keep an epoch before weights are as sparse as they
    are to become; empty: it can't."""
    stops = next((each.kind for each in spec.regularisers if REGULARISERS[each.kind].ends_runs), "")
    late = [
        title_of(REGULARISERS, each.kind)
        for each in spec.regularisers
        if each.release_epochs or (each.warmup_epochs and REGULARISERS[each.kind].sets)
    ]
    if not stops or not late:
        return ""
    return (
        f"{title_of(REGULARISERS, stops)} keeps the best epoch, which may be one before {late[0]} is done: "
        "then fewer weights are zero than you asked for. Leave one of the two out."
    )


def in_time(epochs: int) -> int:
    """Epochs over which a strength can rise in a run of so many, and leave a third to settle; at least 1."""
    return max(1, 2 * epochs // 3)


def _what_is_lost(event: Mapping[str, Any], spec: RunSpec) -> str:
    sparsity = event["sparsity"]
    if sparsity["exact"] == 1:
        return "Every weight is zero"
    if sparsity["near"] == 1:
        return f"Every weight is smaller than {NEAR:g}"
    dead = [name for name, layer in sparsity["layers"].items() if layer["exact"] == 1]
    architecture = ARCHITECTURES.get(spec.model.arch)
    if dead and not (architecture and architecture.bypassed):
        return f"Every weight of {_listed(dead)} is zero, so nothing of the image gets through"
    if (loss := event["validation_loss"]) > UNLEARNT and event["penalty"] > DWARFED * loss:
        return f"The penalty is {event['penalty'] / loss:,.0f} times the data loss, which no longer counts"
    return ""


def _on_weights(spec: RegulariserSpec) -> bool:
    return spec.kind not in REGULARISERS or REGULARISERS[spec.kind].on_weights


def _times_the_default(spec: RegulariserSpec) -> float:
    """1 for a kind that has no default, as one that a later version of Augury no longer has."""
    assert spec.strength is not None
    return spec.strength / (_default(spec) or spec.strength)


def _default(spec: RegulariserSpec) -> float | None:
    return REGULARISERS[spec.kind].default_strength if spec.kind in REGULARISERS else None


def _instead(spec: RegulariserSpec, run: RunSpec) -> str:
    """The default, or a tenth of what was too strong, in one digit."""
    assert spec.strength is not None
    weaker = f"{min(_default(spec) or spec.strength, spec.strength / 10):.1g}".replace("e-0", "e-")
    if spec.warmup_epochs or _times_the_default(spec) > HOPELESS:
        return f"Try {weaker}."
    return f"Try {weaker}, or let it rise over the first {-(-2 * run.train.epochs // 3)} epochs."


def _symbol(spec: RegulariserSpec) -> str:
    symbol = REGULARISERS[spec.kind].symbol if spec.kind in REGULARISERS else "λ"
    return f"{symbol} = {spec.strength:g} of {title_of(REGULARISERS, spec.kind)}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
