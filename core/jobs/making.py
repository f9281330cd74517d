"""A run whose network is made of others': what it is given before it is put into the queue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.files import write_text
from core.jobs.views import RunView
from core.probe.trained_run import weights_of_run
from core.run.digest import FROM
from core.run.errors import SpecError
from core.run.kinds import TRANSFORM
from core.run.made import Made, is_made, spec_of, weights_of
from core.run.spec import RunSpec
from core.store.store import is_run_id
from core.transform.plan import Asked, held_by, planned

MOST_GENERATIONS = 20  # that are looked back


class ToMake(NamedTuple):
    """A job that makes a network of others'.

    Args:
        sources: of each its spec and its weights.
        parents: their digests.
    """

    kind: str
    spec: RunSpec
    inputs: dict[str, Any]
    parents: Sequence[str]
    sources: list[tuple[RunSpec, Path]]


def to_make(
    how: str,
    asked: Asked,
    sources: Sequence[tuple[str, RunSpec]],
    digests: Sequence[str],
    alone: Sequence[bool],
    held: Sequence[Mapping[str, Any]],
) -> ToMake:
    """The job that ``asked`` comes to.

    Args:
        sources: of each run its id, and its spec as it is now.
        digests: theirs.
        alone: of each, whether its spec alone trains it again.
        held: of the first, see `held_before`.

    Raises:
        SpecError: it can't be made of these.
    """
    plan = planned(how, asked, [spec for _, spec in sources], alone, held)
    made = Made(how=how, params=plan.params, sources=tuple(run_id for run_id, _ in sources))
    given = [(spec, weights_of_run(run_id)) for run_id, spec in sources]
    return ToMake(plan.kind, plan.spec, made.inputs(), digests, given)


def held_before(view: RunView | None, find: Callable[[str], RunView | None]) -> list[dict[str, Any]]:
    """What a run's network was made to keep before any further training, by its own way and by those of the
    networks that it comes from."""
    found: list[dict[str, Any]] = []
    for _ in range(MOST_GENERATIONS):
        if view is None or view.kind != TRANSFORM or not is_made(view.inputs):
            break
        kinds = {each["kind"] for each in found}
        own = held_by(view.inputs.get("how"), view.inputs.get("params", {}))
        found += [each for each in own if each["kind"] not in kinds]
        before = view.inputs[FROM]
        view = find(before[0]) if isinstance(before, list) and before and is_run_id(before[0]) else None
    return found


def give(folder: Path, sources: Sequence[tuple[RunSpec, Path]]) -> None:
    """Put the networks into a run's own folder: the runs that they come from may be deleted.

    Args:
        sources: of each its spec and its weights.

    Raises:
        SpecError: one has left no weights.
        OSError: they can't be put there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, (spec, weights) in enumerate(sources):
        if not weights.is_file():
            raise SpecError("from", "that run has left no weights, so nothing can be made of its network.")
        place = folder / weights_of(number)
        place.unlink(missing_ok=True)
        try:
            os.link(weights, place)
        except OSError:  # another file system
            shutil.copyfile(weights, place)
        write_text(folder / spec_of(number), spec.to_json(indent=2) + "\n")
