"""Early stopping in a study: the epoch that stands for a run is chosen by the images that judge it.

So the figures of a fold are a little too good, each in the same way. The last run, whose figure is to be one
that nothing chose by, is trained for as many epochs as were chosen before, and stops by nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_high

from core.regularise.catalogue import REGULARISERS
from core.run.spec import RunSpec
from core.study.cells import CellFigures


def stops_early(spec: RunSpec) -> bool:
    """Whether something may end a run of ``spec`` before its last epoch."""
    return any(REGULARISERS[each.kind].ends_runs for each in spec.regularisers)


def fixed(spec: RunSpec, judged: Iterable[CellFigures]) -> RunSpec:
    """``spec`` for a run that nothing chooses the end of: without what would, and with the median of the
    epochs that were chosen in runs like it; ``spec`` itself if nothing chose."""
    if not stops_early(spec):
        return spec
    kept = tuple(each for each in spec.regularisers if not REGULARISERS[each.kind].ends_runs)
    epochs = max(1, median_high([each.epochs if each.epoch is None else each.epoch for each in judged]))
    train = spec.train.model_copy(update={"epochs": epochs})
    return spec.model_copy(update={"regularisers": kept, "train": train})
