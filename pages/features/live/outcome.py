"""What a run came to, in one sentence of numbers, and what to do next."""

from __future__ import annotations

import streamlit as st

from core.catalogues import completed
from core.jobs.turns import place_of
from core.jobs.views import RunView
from core.presets import preset
from core.run.errors import SpecError
from core.run.made import is_made
from core.run.spec import RunSpec
from core.text import compare
from core.text.describe import title
from core.text.differs import contrasts
from core.text.escape import plain
from core.text.seeds import other_seeds
from core.transform.plan import how_made
from pages.features.frame.setup import jobs
from pages.features.live.lineage import parent_of

LOOKED_THROUGH = 50  # runs, for the one that was started before


def outcome(view: RunView) -> None:
    """Compare a finished run with the closest of two: the run before it of the same visit, or else of the
    same place, and the preset Baseline if it was trained here. Without one its own numbers."""
    run = as_compared(view)
    if run is None:
        return
    others = [] if view.history.edits else [each for each in _others(view) if each]
    other = compare.closest(run.spec, others)
    said = compare.beside(run, other) if other else compare.alone(run)
    st.markdown(f"**{plain(said.sentence)}** {plain(said.next_step)}", help=plain(said.how))


def others(view: RunView) -> list[str]:
    """The runs that one would lay this one over: its parent; or of those before it the one that differs in
    the fewest things, the newest of several, and Baseline."""
    if view.inputs.get("parent") or is_made(view.inputs):
        parent = parent_of(view)
        return [parent.id] if parent else []
    earlier = [
        run
        for run in jobs().recent(LOOKED_THROUGH)
        if place_of(run.visitor) == place_of(view.visitor) != ""
        and run.created_at < view.created_at
        and run.state == "finished"
        and not run.inputs.get("parent")  # its first epochs had other settings
        and not is_made(run.inputs)
        and (view.group is None or run.group != view.group)
        and compare.on_same_data(run.spec, view.spec)
    ]
    # A page that was loaded anew is another visit of the same person.
    own = [run for run in earlier if run.visitor == view.visitor] or earlier
    before = min(own, key=lambda run: _apart(view.spec, run.spec)).id if own else None
    baseline = jobs().already(completed(preset("baseline")))
    return [each for each in (before, baseline and baseline.id) if each and each != view.id]


def _apart(spec: RunSpec, other: RunSpec) -> int:
    """In how many things they differ, chance's own too."""
    alike = compare.judged_alike(spec, other)
    return len(contrasts(spec, other)) + len(other_seeds(spec, other)) + (not alike)


def _others(view: RunView) -> list[compare.Run | None]:
    found = [jobs().view(each) for each in others(view)]
    return [
        as_compared(each)
        for each in found
        if each and not each.history.edits and compare.on_same_data(each.spec, view.spec)
    ]


def as_compared(view: RunView) -> compare.Run | None:
    """The run as it is compared; None if it has not come to its end, or its spec is not what it was trained
    by."""
    result, images = view.history.result, view.history.validation_images
    if view.state != "finished" or result is None or images is None:
        return None
    try:
        spec = completed(view.spec)
    except SpecError:  # a part of it is no longer there
        return None
    return compare.Run(spec, title(view.spec), result, images, how_made(view.inputs, spec))
