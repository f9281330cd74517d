"""What the browser's Back goes back to: pages and runs, not every turn of a dial.

Streamlit adds a step to the browser's history whenever a page's address changes, and ours follows each dial.
Here such a change takes the place of the step before it, as Streamlit itself does for its bound widgets.
"""

from __future__ import annotations

import streamlit as st

_STEPS = """
const DIALS = ["spec", "draw", "size"];
const rest = (address) => {
  const query = new URLSearchParams(address.search);
  DIALS.forEach((name) => query.delete(name));
  return address.pathname + "?" + query;
};
const push = history.pushState;
let wrapped = false;
export default function () {
  if (wrapped) return;
  wrapped = true;
  history.pushState = function (state, unused, url) {
    const dialled = url != null && rest(new URL(url, location)) === rest(location);
    return (dialled ? history.replaceState : push).call(history, state, unused, url);
  };
}
"""

_steps = st.components.v2.component("augury_steps", html="<span hidden></span>", js=_STEPS)


def no_step_for_a_dial() -> None:
    """Call it once a page."""
    _steps(key="browser_steps", height=1)
