"""A page that opens where its title is.

Streamlit keeps the scroll position from one page to the next: who starts a run far down a page would see
the middle of the run.
"""

from __future__ import annotations

import streamlit as st

_SCROLL = """
const opened = new WeakSet();
export default function ({ parentElement }) {
  if (opened.has(parentElement)) return;  // one run after another on the same page: stay
  opened.add(parentElement);
  document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0, behavior: 'instant' });
}
"""

_top = st.components.v2.component("augury_top", html="<span hidden></span>", js=_SCROLL)


def begin_at_the_top() -> None:
    """Scroll to the top, once, when a person comes to this page."""
    _top(key="top", height=1)
