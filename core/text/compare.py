"""A run beside another in one sentence: what differs, what it cost or gained, and whether that is noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.measure.compare import Comparison, Judged, compare
from core.run.spec import DataSpec, RunSpec, is_upload
from core.text.differs import contrasts
from core.text.seeds import other_seeds
from core.text.shares import gap, in_full

MOST_NAMED = 3  # things that differ


class Said(NamedTuple):
    """A sentence, what to do next, and how the numbers were found: for a hint."""

    sentence: str
    next_step: str
    how: str


class Run(NamedTuple):
    """A run that has ended: its completed spec, what it is called, and the epoch that stands for it.

    Args:
        images: how many validation has.
        made: in words how its network was made of the other run's, which no spec tells; empty: it was not.
    """

    spec: RunSpec
    title: str
    result: Mapping[str, Any]  # as `core.run.figures.Figures`
    images: int
    made: str = ""

    @property
    def judged(self) -> Judged:
        correct = round(self.result["validation_accuracy"] * self.images)
        return Judged(correct, self.images, self.result.get("right"))


def on_same_data(spec: RunSpec, other: RunSpec) -> bool:
    """Whether both learn from the same dataset, in the same size and colours."""
    ours, theirs = spec.data, other.data
    fields = ("name", "path", "side", "channels", "fit")
    return all(getattr(ours, field) == getattr(theirs, field) for field in fields)


def judged_alike(spec: RunSpec, other: RunSpec) -> bool:
    """Whether both are judged on the very same images. Of a folder of this machine that is not known: it may
    hold other images by now."""
    exam = _exam(spec)
    if exam.path is not None and not is_upload(exam.path):
        return False
    return exam == _exam(other)


def _exam(spec: RunSpec) -> DataSpec:
    """What decides which images are kept for validation: all but how many are learned from."""
    return spec.data.model_copy(update={"train_images": None, "split_seed": spec.split_seed})


def closest(spec: RunSpec, others: Sequence[Run]) -> Run | None:
    """The one that differs from ``spec`` in the fewest things; of several the first."""
    return min(others, key=lambda each: len(contrasts(spec, each.spec)), default=None)


def beside(run: Run, other: Run) -> Said:
    """``run`` compared with ``other``, which is on the same data."""
    alike = judged_alike(run.spec, other.spec)
    found = compare(run.judged, other.judged, same_images=alike)
    differ = [each.in_words() for each in contrasts(run.spec, other.spec)]
    seeds = [each.in_words() for each in other_seeds(run.spec, other.spec)]
    exam = [] if alike else ["other validation images"]
    what = _listed([*differ, *seeds, *exam]) or "the same once more"
    said = f"validation accuracy {_amount(found)} “{other.title}” {_noise(found, alike)}"
    step = _next_step(found, len(differ), bool(seeds))
    if run.made:
        what = run.made
        step = "One network can't tell how much of that is chance: do the same with runs of other seeds."
    return Said(f"{what[0].upper()}{what[1:]}: {said}.", step, _how(found, other.title, alike))


def alone(run: Run) -> Said:
    """``run`` in numbers, where there is none to compare it with."""
    result = run.result
    said = f"Validation accuracy {in_full(result['validation_accuracy'], run.images)}"
    of = result.get("clean_images")
    if of:
        points, ends = gap(result["clean_accuracy"], of, result["validation_accuracy"], run.images)
        said += f"; on its own training images {points} points (95 %: {ends})"
    return Said(
        f"{said}.",
        "Change one thing and train again: the two runs are compared here.",
        "Intervals are at 95 %: of the accuracy Wilson's, of the difference Newcombe's.",
    )


def _amount(found: Comparison) -> str:
    points = round(100 * abs(found.difference), 1)
    if not points:
        return "the same as"
    what = "point" if points == 1 else "points"
    return f"{points:.1f} {what} {'higher' if found.difference > 0 else 'lower'} than"


def _noise(found: Comparison, alike: bool) -> str:
    ends = f"{100 * found.low:.1f} to {100 * found.high:.1f}".replace("-", "−")
    images = "these images" if alike else "two different sets of images"
    return f"(95 %: {ends}), {'beyond' if found.is_beyond_noise else 'within'} the noise of {images}"


def _next_step(found: Comparison, num_differences: int, other_seed: bool) -> str:
    if num_differences + other_seed > 1:
        return "More than one thing differs: change one at a time to see which it was."
    if not num_differences:
        return "Only chance differs: three seeds show how much that is."
    if found.is_beyond_noise:
        return "Another seed moves it too: repeat both with 3 seeds to be sure."
    return "One run each can't tell them apart: repeat both with 3 seeds, or change more."


def _how(found: Comparison, title: str, alike: bool) -> str:
    if found.is_paired:
        return (
            f"Of the same {found.images:,} validation images this run names {found.lost:,} wrongly that "
            f"“{title}” names correctly, and {found.won:,} the other way round; 95 % interval by Tango."
        )
    why = (
        "which images each names correctly was not kept"
        if alike
        else "they were judged on different validation images"
    )
    return (
        f"On {found.images:,} and {found.other_images:,} validation images. They can't be compared image by "
        f"image, for {why}; 95 % interval of two separate shares by Newcombe."
    )


def _listed(differ: Sequence[str]) -> str:
    named = ", ".join(differ[:MOST_NAMED])
    return f"{named} and {len(differ) - MOST_NAMED} more" if len(differ) > MOST_NAMED else named
