"""The few figures that stand for a run: each with its n, its interval and its definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.measure.near import NEAR
from core.models.dropout import dropouts
from core.run.spec import RunSpec
from core.text.shares import counted, gap, percent


class Figure(NamedTuple):
    """A figure as a page shows it; ``value`` is empty where there is none yet, and ``sure`` says how sure it
    is, or of what it is."""

    label: str
    value: str
    sure: str
    help: str


def figures(epoch: Mapping[str, Any] | None, started: Mapping[str, Any] | None) -> tuple[Figure, ...]:
    """The figures of one ``epoch`` event, in the order of their weight.

    Args:
        epoch: None: there is none yet, and all are empty.
        started: the run's ``started`` event; it says how many images validation has.
    """
    found = epoch or {}
    images = (started or {}).get("validation_images", 0)
    accuracy: Any = found.get("validation_accuracy")
    clean: Any = found.get("clean_accuracy")
    of: Any = found.get("clean_images")
    both = gap(clean, of, accuracy, images) if clean is not None and of and images else ("", "")
    sparsity = found.get("sparsity", {})
    weights = f"of {sparsity['weights']:,} weights" if sparsity else ""
    return (
        Figure(
            "Validation accuracy",
            _percent(accuracy),
            counted(accuracy, images) if epoch and images else "",
            "Share of held-out images whose class the network names. Below it: how many of how many, and the "
            "95 % interval for other images of the same kind (Wilson); under some 200 images it is rough.",
        ),
        Figure(
            "Clean train",
            _percent(clean),
            _clean_counted(clean, of, (started or {}).get("train_images", 0))
            if clean is not None and of
            else "",
            "Share of a fixed sample of the training images whose class the network names, without "
            "augmentation and without dropout. Below it the 95 % interval for the other training images "
            "(Wilson); nothing is left to guess where the sample is all of them.",
        ),
        Figure(
            "Gap",
            both[0],
            f"points; {both[1]}" if both[1] else "",
            "Clean train less validation accuracy: what the network knows by heart and can't do on new "
            "images. Below it the 95 % interval (Newcombe): if it holds 0, there may be no gap."
            + (f" Of {of:,} training and {images:,} validation images." if both[1] else ""),
        ),
        Figure(
            "Validation loss",
            f"{found['validation_loss']:.3f}" if epoch else "",
            f"mean of {images:,}" if epoch and images else "",
            "Mean cross-entropy of held-out images, with the natural logarithm: 0 is certain and correct.",
        ),
        Figure(
            "Exact zeros",
            _percent(sparsity.get("exact")),
            weights,
            "Share of weights that are exactly 0.0; biases and norms are left out.",
        ),
        Figure(
            f"|w| < {NEAR:g}",
            _percent(sparsity.get("near")),
            weights,
            "Share of weights near zero, exact zeros among them. The bound is a choice; a run's page has a "
            "dial for it: Sparsity, Weights.",
        ),
    )


def harder_while_learning(epoch: Mapping[str, Any], spec: RunSpec) -> str:
    """Why train accuracy while learning lies below clean train, if it does and the spec has a reason."""
    clean = epoch.get("clean_accuracy")
    if clean is None or epoch["train_accuracy"] >= clean:
        return ""
    augmented = any(op.enabled for op in spec.augment.ops) or spec.augment.mix is not None
    dropped = any(share for _, share in dropouts(spec.model))
    how = " and ".join(["on augmented images"] * augmented + ["with dropout"] * dropped)
    if not how:
        return ""  # it would come and go in the first epochs, and move what stands below
    return (
        "The dotted line lies below clean train: it is the mean over an epoch in which the network was still "
        f"learning, and {how}, which is harder. Only clean train compares with validation."
    )


def _clean_counted(share: float, of: int, training: int) -> str:
    """`core.text.shares.counted`, without an interval where all of the ``training`` images were judged."""
    return f"{round(share * of):,} of all {of:,}" if of == training else counted(share, of)


def _percent(share: float | None) -> str:
    return "" if share is None else percent(share)


def resumed_in_words(steps: Sequence[int], notes: Sequence[str]) -> str:
    """That a run was cut and went on, and what that means for its numbers; empty if it never was.

    Args:
        steps: that were done each time that it went on.
        notes: of the run; they say so if its numbers are others since (`core.train.surroundings.changes`).
    """
    if not steps or any(note.startswith("Resumed ") for note in notes):
        return ""
    cut = "It was cut" if len(steps) == 1 else f"It was cut {len(steps)} times"
    went_on = f"{cut}, and went on after step {steps[-1]:,}"
    return f"{went_on}: its numbers are, bit for bit, those of a run that was never cut."
