"""What a visitor has chosen so far, as one `RunSpec`: kept for the visit, and in the page's address.

The address wins when a page is opened by a link; from then on the visit's own value counts, and the
address follows it, so that copying the address at any moment shares exactly what is on the screen.
"""

from __future__ import annotations

import streamlit as st

from core.catalogues import bounded, filled, mended
from core.presets import preset
from core.run import address
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, RegulariserSpec, RunSpec
from core.text.escape import plain
from core.text.refusals import in_words

_SPEC, _GENERATION, _FROM_LINK = "augury.spec", "augury.generation", "augury.link"
_GONE = "augury.gone"  # what a spec named that is no longer there, to be said once


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
    st.session_state[_SPEC] = spec
    link = address.encode(filled(spec))
    st.session_state[_FROM_LINK] = link
    if st.query_params.get("spec") != link:
        st.query_params["spec"] = link


def change_augment(augment: AugmentSpec) -> None:
    """Keep another pipeline, and all else as it is."""
    remember(current().model_copy(update={"augment": augment}))


def change_regularisers(regularisers: tuple[RegulariserSpec, ...]) -> None:
    """Keep other regularisers, and all else as it is."""
    remember(current().model_copy(update={"regularisers": regularisers}))


def replace(spec: RunSpec) -> None:
    """Put a whole other spec in place: every widget starts anew from it."""
    st.session_state[_SPEC] = spec
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


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
