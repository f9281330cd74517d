"""Which runs repeat a run with other seeds, by what varies, with what each came to."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from core.jobs.views import RunView
from core.run.digest import digest
from core.run.events import Event
from core.run.figures import result_of
from core.run.spec import RunSpec
from core.store.store import MAX_RUNS, StoredRun
from core.study.repeats import MOST, Varied, differ_in, drawn, spreads
from pages.features.frame.setup import jobs

MOST_OF_A_KIND = 2 * MOST  # runs, so that a picture of eight groups is drawn in time
REMEMBERED = 256  # runs whose curves are kept: of 60 epochs each, 9 MB

_curves: OrderedDict[tuple[str, float | None], tuple[Event, ...]] = OrderedDict()
_lock = threading.Lock()


class Repeat(NamedTuple):
    """A run that has finished, as it was asked for, with the figures of the epoch that stands for it."""

    id: str
    spec: RunSpec
    result: Mapping[str, Any]
    images: int | None
    finished_at: float | None

    @property
    def accuracy(self) -> float:
        return float(self.result["validation_accuracy"])


def repeats_of(view: RunView) -> dict[Varied, list[Repeat]]:
    """By what varies, the run and those among the newest that repeat it; none if it is not one to repeat."""
    result = view.history.result
    if view.state != "finished" or result is None or view.history.edits or view.inputs.get("parent"):
        return {}
    own = Repeat(view.id, view.spec, result, view.history.validation_images, view.finished_at)
    others = [
        Repeat(
            run.id, run.spec, result_of(run.summary), run.summary.get("validation_images"), run.finished_at
        )
        for run in jobs().recent(MAX_RUNS)
        if run.state == "finished"
        and run.summary
        and differ_in(run.spec, view.spec)  # first, for most runs do not
        and not run.inputs.get("parent")
        and _as_asked_for(run)
    ]
    found = spreads(own, others)
    return {kind: _newest(own, group) for kind, group in found.items()}


def the_group(found: Mapping[Varied, list[Repeat]]) -> tuple[Varied, list[Repeat]] | None:
    """The group that stands for a run: where all but the split varies, or else the largest."""
    if not found:
        return None
    kind: Varied = "all" if "all" in found else max(found, key=lambda each: len(found[each]))
    return kind, found[kind]


def curve_of(run: Repeat) -> tuple[Event, ...]:
    """A run's epochs, with what `core.figures.overlay` draws of them alone."""
    key = run.id, run.finished_at
    with _lock:
        if key in _curves:
            _curves.move_to_end(key)
            return _curves[key]
    view = jobs().view(run.id)
    kept = tuple(_thin(each) for each in view.history.epochs) if view else ()
    with _lock:
        _curves[key] = kept
        while len(_curves) > REMEMBERED:
            _curves.popitem(last=False)
    return kept


_DRAWN = ("epoch", "step", "seconds", "validation_accuracy", "validation_loss", "clean_accuracy")


def _thin(epoch: Event) -> Event:
    kept: dict[str, Any] = {name: epoch[name] for name in _DRAWN if name in epoch}
    return kept | {"sparsity": {"exact": epoch["sparsity"]["exact"]}}


def _as_asked_for(run: StoredRun) -> bool:
    """Whether its spec is what it was trained by: one that was edited has another digest."""
    return run.digest in (None, digest(run.kind, run.spec, run.inputs, parents=run.parents))


def _newest(own: Repeat, group: list[Repeat]) -> list[Repeat]:
    """Not more than a picture has room for; the run itself is one of them."""
    if len(group) <= MOST_OF_A_KIND:
        return group
    others = sorted((each for each in group if each.id != own.id), key=lambda each: -(each.finished_at or 0))
    return sorted([own, *others[: MOST_OF_A_KIND - 1]], key=lambda each: drawn(each.spec))
