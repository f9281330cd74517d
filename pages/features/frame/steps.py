"""What the browser's address and its Back follow: pages and runs, not every turn of a dial.

Streamlit adds a step to the browser's history whenever a page's address changes, and ours follows each dial.
Here such a change takes the place of the step before it, as Streamlit itself does for its bound widgets.
"""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitAPIException

_STEPS = """
const DIALS = ["spec", "draw", "size"];
const rest = (address) => {
  const query = new URLSearchParams(address.search);
  DIALS.forEach((name) => query.delete(name));
  return address.pathname + "?" + query;
};
const push = history.pushState;
let wrapped = false;
let asked = "";  // the address after a step that changed nothing but what is asked of its page
export default function () {
  if (wrapped) return;
  wrapped = true;
  history.pushState = function (state, unused, url) {
    const to = new URL(url ?? location, location);
    const dialled = url != null && rest(to) === rest(location);
    // st.switch_page first gives the page that is left the other one's query: both are one step.
    const passed = location.href === asked && to.pathname !== location.pathname && to.search ===
    location.search; asked = !dialled && to.pathname === location.pathname ? to.href : "";
    return (dialled || passed ? history.replaceState : push).call(history, state, unused, url);
  };
}
"""

SHOWN = ("run", "runs", "study")  # in an address: what a page shows
_BEFORE = "augury.shown_before"

_steps = st.components.v2.component("augury_steps", html="<span hidden></span>", js=_STEPS)


def no_step_for_a_dial() -> None:
    """Call it once a page."""
    _steps(key="browser_steps", height=1)


def address_follows(title: str) -> None:
    """Call it once a page: where it shows another run than before, tell the browser the address. Streamlit's
    link from a page to itself changes what is shown, and leaves the address."""
    now = (title, *(st.query_params.get(name, "") for name in SHOWN))
    before = st.session_state.get(_BEFORE, now)
    st.session_state[_BEFORE] = now
    if before[0] == title and before != now:
        _tell_the_browser()


def _tell_the_browser() -> None:
    """To write any parameter again sends all of them; one that a widget is bound to is not ours to write."""
    asked = st.query_params.to_dict()
    for name, value in asked.items():
        try:
            st.query_params[name] = value
        except StreamlitAPIException:
            continue
        return
    if not asked:
        st.query_params.clear()
