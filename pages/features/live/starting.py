"""Starting a run from a page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import streamlit as st

from core.catalogues import completed
from core.jobs.fork import Fork
from core.jobs.manager import FROZEN
from core.jobs.rights import new_key
from core.presets import PRESETS, Preset
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.text.escape import plain
from pages.features.frame.refused import refusal, refuse
from pages.features.frame.setup import jobs
from pages.features.frame.share import keep_control_key
from pages.features.frame.visitor import CONTROL, is_teacher, visitor

FIRST_POINT_SECONDS = 0.8


def preset_of(spec: RunSpec) -> Preset | None:
    """The preset that a completed spec is, name and all; None if it is none, or no longer."""
    meant = next((each for each in PRESETS.values() if each.spec.name == spec.name), None)
    return meant if meant and completed(meant.spec).choices() == spec.choices() else None


def named(spec: RunSpec) -> RunSpec:
    """``spec``, completed; without its name if that is a preset's that it no longer is."""
    spec = completed(spec)
    taken = any(each.spec.name == spec.name for each in PRESETS.values())
    return spec.model_copy(update={"name": ""}) if taken and not preset_of(spec) else spec


def finished_before(spec: RunSpec) -> str | None:
    """The id of a finished run that ``spec`` would repeat, whatever its name; None if there is none."""
    try:
        found = jobs().already(completed(spec))
    except SpecError:  # whoever starts it says why it can't be
        return None
    return found.id if found else None


def start_run(spec: RunSpec) -> None:
    """Start ``spec`` and put its id in the address; for a button's ``on_click``.

    A moment is waited for the run's first step, so that the first picture a person sees already has a
    point on the chart: that is sooner than the next timed refresh would show it.
    """
    if run_id := _started(spec):
        _show(run_id)


def start_group(specs: Sequence[RunSpec], group: str = "", *, show: bool = True) -> None:
    """Start runs that belong together, and put the first one's id in the address.

    Args:
        group: what it is called; ``""``: nothing in particular.
        show: False: the address stays.
    """
    group = group or uuid.uuid4().hex
    begun = [run_id for spec in specs if (run_id := _started(spec, group))]
    if begun and show:
        _show(begun[0])


def start_branch(fork: Fork, spec: RunSpec) -> None:
    """Start a branch, or open the one that it would repeat; for a button's ``on_click``."""
    spec = named(spec)
    if found := jobs().already(spec, inputs=fork.inputs, parents=fork.parents):
        run_id = found.id
    else:
        key = new_key()
        try:
            run_id = jobs().branch(fork, spec, visitor=visitor(), key=key)
        except SpecError as error:
            refuse(error)
            return
        keep_control_key(run_id, key)
    for name in ("from", "at"):
        st.query_params.pop(name, None)
    _show(run_id)


def start_anew(spec: RunSpec) -> None:
    """Start ``spec`` and go to the live page, or say here why not; for a page other than that one."""
    if run_id := _started(spec):
        st.switch_page("pages/2_Train.py", query_params={"run": run_id})
    refusal()


def _show(run_id: str) -> None:
    jobs().wait_for_step(run_id, FIRST_POINT_SECONDS)
    st.query_params["run"] = run_id
    st.query_params.pop(CONTROL, None)  # of the run that was shown before


def _started(spec: RunSpec, group: str | None = None) -> str | None:
    """The id of the run that every start begins; None if it was refused, and `refusal` says why."""
    key = new_key()
    try:
        run_id = jobs().submit(named(spec), visitor=visitor(), group=group, key=key)
    except SpecError as error:
        refuse(error)
        return None
    keep_control_key(run_id, key)
    return run_id


def frozen_note() -> None:
    """Say so while only a teacher can start."""
    if not is_teacher() and jobs().frozen():
        st.info(FROZEN, icon=":material/ac_unit:")


def waiting_line() -> None:
    """Say how many runs would start before a new one, and what was refused at the last try."""
    refusal()
    frozen_note()
    if limits := jobs().limits_of(visitor()).in_words():
        st.caption(f":material/speed: {plain(limits)}")
    before = len(jobs().live())
    if before and (is_teacher() or not jobs().frozen()):
        runs = "One run is" if before == 1 else f"{before} runs are"
        st.info(f"{runs} in hand; yours starts after.", icon=":material/hourglass:")
