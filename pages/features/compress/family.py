"""A network and all that was made of it, with what each costs."""

from __future__ import annotations

from collections.abc import Sequence

from core.figures.compress import Cost
from core.jobs.views import RunView
from core.run.figures import result_of
from core.run.made import is_made
from core.store.store import StoredRun
from core.text.describe import title
from core.transform.plan import judged_alike
from core.transform.rows import Costs, rows_of
from pages.features.frame.setup import jobs
from pages.features.live.lineage import sources_of

MOST_GENERATIONS, MOST_RUNS, MOST_OTHERS = 8, 40, 100


def family(view: RunView) -> list[RunView]:
    """The run that all of them come from, at last, and what was made of it, the oldest first."""
    root = view
    for _ in range(MOST_GENERATIONS):
        before = sources_of(root)
        parent = jobs().view(before[0]) if before else None
        if parent is None:
            break
        root = parent
    found, waiting = {root.id: root}, [root.id]
    while waiting and len(found) < MOST_RUNS:
        for child in reversed(jobs().children(waiting.pop(0))):
            seen = jobs().view(child.id)
            if child.id not in found and is_made(child.inputs) and seen is not None:
                found[child.id] = seen
                waiting.append(child.id)
    return list(found.values())


def points(members: Sequence[RunView]) -> list[Cost]:
    """A point for each of them that has ended, and for other runs of this network on these images."""
    root = members[0]
    times = {root.id: (1.0, 1.0, 1.0)}
    found: list[Cost] = []
    alone = 0.0
    for view in members[1:]:
        costs = {row.place: row for row in rows_of(view.history, "costs", Costs)}
        own, theirs, before = costs.get(None), costs.get(0), sources_of(view)
        if own is None or theirs is None or not before:
            continue
        if before[0] == root.id and not found:
            alone = theirs.microseconds
            found.append(_point(root, theirs, "original", times[root.id], alone))
        if before[0] in times and (step := _times(own, theirs)) is not None:
            low, middle, high = (a * b for a, b in zip(times[before[0]], step, strict=True))
            times[view.id] = (low, middle, high)
        found.append(_point(view, own, "made", times.get(view.id), alone))
    known = {view.id for view in members}
    others = [run for run in jobs().recent(MOST_OTHERS) if run.id not in known]
    beside = _beside_weights(root)
    if beside is None:
        return found
    return found + [each for run in others if (each := _other(run, root, beside)) is not None]


def _beside_weights(view: RunView) -> int | None:
    """How many numbers a network has learnt beside its weights: biases, and what norm layers have."""
    result, started = view.history.result, view.history.started
    return started["parameters"] - result["sparsity"]["weights"] if result and started else None


def _times(own: Costs, before: Costs) -> tuple[float, float, float] | None:
    """How long an image takes against the network before it: the middle half of the rounds, and the median
    between. Of an older release, the median alone."""
    if own.times_low is not None and own.times is not None and own.times_high is not None:
        return own.times_low, own.times, own.times_high
    if before.microseconds <= 0:
        return None
    ratio = own.microseconds / before.microseconds
    return ratio, ratio, ratio


def _point(
    view: RunView, row: Costs, kind: str, times: tuple[float, float, float] | None, alone: float
) -> Cost:
    """``alone``: microseconds an image of the original; another job's are of another moment."""
    low, middle, high = times or (None, None, None)
    return Cost(
        id=view.id,
        name=title(view.spec),
        kind=kind,
        accuracy=row.accuracy,
        images=row.images,
        left=max(0, row.parameters - row.zeros),
        bytes=row.smallest_file,
        packed=row.is_smaller_packed,
        multiply_adds=row.multiply_adds,
        time=middle,
        time_low=low,
        time_high=high,
        microseconds=None if middle is None else middle * alone,
    )


def _other(run: StoredRun, root: RunView, beside: int) -> Cost | None:
    """Another run of the same network, by how many numbers it has left; it was not measured beside the
    original.

    Args:
        beside: numbers that are no weights; of those none is taken to be 0.
    """
    if run.state != "finished" or not run.summary or is_made(run.inputs):
        return None
    if not judged_alike(run.spec, root.spec) or run.spec.model != root.spec.model:
        return None
    result, images = result_of(run.summary), run.summary.get("validation_images")
    if not images:
        return None
    sparsity = result["sparsity"]
    left = beside + round(sparsity["weights"] * (1 - sparsity["exact"]))
    return Cost(run.id, title(run.spec), "other", result["validation_accuracy"], images, left=left)
