"""What a path over λ is made of: which values are tried, on what budget, and the job that tries each.

Pages read this; torch is not needed here. What the jobs do is in `core.study.strength_path`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from core.catalogues import completed
from core.regularise.catalogue import REGULARISERS
from core.run.digest import digest
from core.run.errors import SpecError
from core.run.spec import RegulariserSpec, RunSpec

KIND = "study.path_point"  # of the jobs, in `core.jobs.kinds.KINDS`
POINTS = 8
WARM_EPOCHS, EPOCHS_EACH = 4, 3
IMAGES = 2500  # trained on at most
DECADES = 3.5  # that the strengths span: 1, 3, 10, 30, …
BELOW = 1.0  # of these decades lie below the default: a few epochs need a stronger λ than a whole run


@dataclass(frozen=True, slots=True)
class PathPlan:
    """The jobs of a path.

    Args:
        spec: of all of them, from `quick`.
        group: names the path: equal paths have equal groups.
        inputs: of each job, in the order of its λ.
    """

    spec: RunSpec
    group: str
    inputs: tuple[dict[str, Any], ...]


def path_plan(spec: RunSpec, regulariser: int, fresh: str = "") -> PathPlan:
    """The path of regulariser ``regulariser``: λ = 0, which the others are compared with, and `strengths`.

    Args:
        spec: as `quick` gives it.
        fresh: a text that tells apart paths which are equal otherwise, where the images may have changed.
    """
    # The warm start is trained once: by the job that comes first, kept under this name for the others.
    start = digest("study.warm_start", spec, {"warm_epochs": WARM_EPOCHS, "images": IMAGES, "fresh": fresh})
    inputs = tuple(
        {
            "regulariser": regulariser,
            "strength": strength,
            "warm_epochs": WARM_EPOCHS,
            "images": IMAGES,
            "start": start,
        }
        for strength in (0.0, *strengths(spec.regularisers[regulariser].kind))
    )
    return PathPlan(spec, digest("study.path", spec, {"points": list(inputs)}), inputs)


def strengths(kind: str, points: int = POINTS, below: float = BELOW) -> tuple[float, ...]:
    """``points`` values of λ, rising on a log scale: `DECADES` around the kind's default, and no further than
    its dial goes. By default these are 0.1, 0.3, 1, 3, … times the default.

    Args:
        below: how many of the decades lie below the default.
    """
    entry = REGULARISERS[kind]
    assert entry.default_strength is not None
    low, high = math.log10(entry.strength_low), math.log10(entry.strength_high)
    width = min(DECADES, high - low)
    first = min(math.log10(entry.default_strength) - below, high - width)
    first = max(math.floor(2 * first) / 2, low)  # 1, 3, 10, 30, …
    digits = 1 if width / (points - 1) >= 0.5 else 2  # what lies closer needs more
    grid = (float(f"{10 ** (first + width * i / (points - 1)):.{digits}g}") for i in range(points))
    return tuple(min(each, entry.strength_high) for each in grid)


def quick(
    spec: RunSpec, regulariser: int, *, warm_epochs: int = WARM_EPOCHS, epochs_each: int = EPOCHS_EACH
) -> RunSpec:
    """What a path trains of ``spec``, completed: that regulariser at 0, a short budget, no name. The
    other regularisers are as strong as they get by the end of the warm start, and none is released. Specs
    whose paths are equal give equal values.

    Raises:
        SpecError: the spec can't be run, or there is no such regulariser, or it has no strength.
    """
    spec = completed(spec)
    chosen = chosen_regulariser(spec, regulariser)
    stays = {"release_epochs": 0, "release_rate": 1.0}  # a path asks what λ does while it acts
    regularisers = [
        each.model_copy(update={"warmup_epochs": min(each.warmup_epochs, warm_epochs), **stays})
        for each in spec.regularisers
    ]
    regularisers[regulariser] = chosen.model_copy(update={"strength": 0.0, "warmup_epochs": 0, **stays})
    train = spec.train.model_copy(update={"epochs": warm_epochs + epochs_each})
    return spec.model_copy(update={"name": "", "regularisers": tuple(regularisers), "train": train})


def chosen_regulariser(spec: RunSpec, regulariser: int) -> RegulariserSpec:
    """Regulariser ``regulariser`` of a completed spec.

    Raises:
        SpecError: there is none, or it has no strength.
    """
    if not 0 <= regulariser < len(spec.regularisers):
        there = f"there are {len(spec.regularisers)}" if spec.regularisers else "the spec has none"
        raise SpecError(
            "regularisers", f"there is no regulariser {regulariser} to try values of λ for; {there}."
        )
    chosen = spec.regularisers[regulariser]
    if chosen.strength is None:
        raise SpecError(
            f"regularisers[{regulariser}]",
            f"{chosen.kind} has no strength λ; choose a regulariser that has one.",
        )
    return chosen
