"""What a visitor has chosen so far, as one `RunSpec`: kept for the visit, and in the page's address.

The address wins when a page is opened by a link; from then on the visit's own value counts, and the
address follows it, so that copying the address at any moment shares exactly what is on the screen.
"""

from __future__ import annotations

import streamlit as st

from core.catalogues import bounded, filled, mended
from core.presets import PRESETS, Preset, preset
from core.run import address
from core.run.changes import changed, put_back
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, DataSpec, Part, RegulariserSpec, RunSpec
from core.text.escape import plain
from core.text.refusals import in_words

_SPEC, _GENERATION, _FROM_LINK = "augury.spec", "augury.generation", "augury.link"
_GONE = "augury.gone"  # what a spec named that is no longer there, to be said once
_BASE = "augury.base"  # the preset that was started from, by its name
_FORK = "augury.compared"  # what a branch begins with, as a preset without a name
_BEFORE = "augury.before"  # all choices and their preset, before another or "undo all" took their place
_OWN = "augury.own"  # the `DataSpec` of the person's own images that were chosen last
_NEW = "augury.own_new"
_PART, _OPEN = "augury.part", "augury.open"  # the part changed last; those opened for what is refused there
_AS_OPENED = "augury.as_opened"  # the choices with which Train was opened


def current(first: RunSpec | None = None) -> RunSpec:
    """The spec of this visit: from the address it was opened with; at first, ``first`` or the baseline."""
    link = st.query_params.get("spec")
    if link and link != st.session_state.get(_FROM_LINK):
        st.session_state[_FROM_LINK] = link
        try:
            replace(bounded(address.decode(link)))
        except SpecError as error:
            said = f"{plain(in_words(error))} These are the choices to start from instead."
            st.error(said, icon=":material/link_off:")
    if _SPEC not in st.session_state:
        replace(first or preset("baseline"))
    spec: RunSpec = st.session_state[_SPEC]
    return spec


def remember(spec: RunSpec) -> None:
    """Keep what the widgets say, and show it in the address."""
    if st.session_state.get(_SPEC) != spec:
        st.session_state.pop(_BEFORE, None)
    if spec.data.path is not None:
        st.session_state[_OWN] = spec.data
    st.session_state[_SPEC] = spec
    link = address.encode(filled(spec))
    st.session_state[_FROM_LINK] = link
    if st.query_params.get("spec") != link:
        st.query_params["spec"] = link


def change(part: str, value: Part | tuple[RegulariserSpec, ...]) -> None:
    """Keep another value of one part of the spec, and all else as it is."""
    st.session_state[_PART] = part
    if isinstance(value, DataSpec) and value.path not in (None, current().data.path):
        st.session_state[_NEW] = True
    remember(current().model_copy(update={part: value}))


def change_augment(augment: AugmentSpec) -> None:
    """Keep another pipeline, and all else as it is."""
    change("augment", augment)


def change_regularisers(regularisers: tuple[RegulariserSpec, ...]) -> None:
    """Keep other regularisers, and all else as it is."""
    change("regularisers", regularisers)


def replace(spec: RunSpec) -> None:
    """Put a whole other spec in place: every widget starts anew from it."""
    st.session_state.pop(_BEFORE, None)
    st.session_state[_SPEC] = spec
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def own_images() -> DataSpec | None:
    """The person's own images that were chosen last in this visit, with their form."""
    found: DataSpec | None = st.session_state.get(_OWN)
    return found


def own_images_are_new() -> bool:
    """Whether a person has chosen his own images since this was asked last: then he wants to see them."""
    return bool(st.session_state.pop(_NEW, False))


def base() -> Preset:
    """The preset that this visit started from: whose name the spec has, or had before it got another."""
    if fork := st.session_state.get(_FORK):
        found: Preset = fork
        return found
    spec = current()
    meant = next((each for each in PRESETS.values() if each.spec.name == spec.name), None)
    if meant is None:
        return PRESETS[st.session_state.get(_BASE, "baseline")]
    st.session_state[_BASE] = meant.name
    return meant


def compare_with(fork: Preset | None) -> None:
    """Until further notice what is chosen is compared with this, as for a branch; None: with a preset."""
    st.session_state[_FORK] = fork


def choose(name: str) -> None:
    """Start from a preset: its choices, but on the person's own images if those are chosen."""
    _start_anew(PRESETS[name], preset(name).name)


def undo(path: str) -> None:
    """Put one field back to what the preset has; ``path`` as in `core.run.changes`."""
    _put_in_place(put_back(current(), filled(base().spec), path))


def undo_all() -> None:
    """Put all fields back to the preset's, but for the person's own images."""
    _start_anew(base(), current().name)


def _start_anew(meant: Preset, name: str) -> None:
    spec, before, was = meant.spec, current(), base()
    lost = changed(filled(before), filled(was.spec))
    data = spec.data if before.data.path is None else before.data
    split_seed = spec.seed if data.split_seed is None else data.split_seed
    if split_seed != before.seed:  # the run's seed stays, and the images kept for validation are the preset's
        data = data.model_copy(update={"split_seed": split_seed})
    _put_in_place(spec.model_copy(update={"seed": before.seed, "name": name, "data": data}))
    if meant.name:
        st.session_state[_BASE] = meant.name
    if lost:
        st.session_state[_BEFORE] = before, was.name


def can_take_back() -> bool:
    """Whether nothing was changed since a preset or "undo all" took the place of the person's choices."""
    return _BEFORE in st.session_state


def take_back() -> None:
    """The choices as they were before that."""
    if found := st.session_state.get(_BEFORE):
        before, st.session_state[_BASE] = found
        _put_in_place(before)


def acted(spec: RunSpec, *, opened: bool) -> bool:
    """Whether a person changed something since the page was opened; ``opened``: it is just now."""
    if opened:
        st.session_state[_AS_OPENED] = spec
    return bool(st.session_state.get(_AS_OPENED) != spec)


def open_part(path: str) -> None:
    """A part of the form that holds what is refused is to be seen. Where the change was made it is seen."""
    if path != st.session_state.get(_PART):
        st.session_state[_OPEN] = to_open() | {path}


def to_open() -> frozenset[str]:
    """The parts that were opened so."""
    found: frozenset[str] = st.session_state.get(_OPEN, frozenset())
    return found


def _put_in_place(spec: RunSpec) -> None:
    replace(spec)
    remember(spec)


def start_from(spec: RunSpec) -> None:
    """Put a stored run's spec in place. It may name what this version no longer has: `say_what_is_gone`."""
    spec, gone = mended(spec)
    replace(spec)
    remember(spec)
    st.session_state[_GONE] = gone


def say_what_is_gone() -> None:
    """What the spec that was started from had and this version has not, once."""
    for sentence in st.session_state.pop(_GONE, ()):
        st.warning(f"That run was of another version of Augury. {plain(sentence)}", icon=":material/history:")


def key(*parts: str | int) -> str:
    """A widget's key; it changes when the whole spec is replaced, so that widgets take new values."""
    return ".".join(str(part) for part in (f"g{st.session_state.get(_GENERATION, 0)}", *parts))
