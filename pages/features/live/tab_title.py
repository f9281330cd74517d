"""How far a run is, in the title of the browser's tab: it can be read while another tab is open."""

from __future__ import annotations

import streamlit as st

from core.jobs.views import RunView
from core.text.describe import title

_TITLE = """
// One for the whole window: two that each put their own title over the other's would never end.
const held = (window.auguryTitle ??= { node: null, own: '', wanted: '', observer: null });

// Streamlit sets the page's own title whenever the whole page is drawn: the run's goes over it, and is
// taken off when the run's page is left.
export default function ({ data, parentElement }) {
  held.node = parentElement;
  held.wanted = data.replace(/\\s+/g, ' ').trim(); // as a window reads its title back
  if (!held.observer) {
    held.observer = new MutationObserver(show);
    const changes = { childList: true, characterData: true, subtree: true };
    held.observer.observe(document.querySelector('title'), changes);
  }
  show();
  return () => parentElement.isConnected || held.node !== parentElement || leave();
}

function show() {
  if (document.title === held.wanted) return;
  held.own = document.title;
  document.title = held.wanted;
  held.wanted = document.title; // whatever a window makes of it: it must not look like another's
}

function leave() {
  held.observer?.disconnect();
  held.observer = null;
  if (document.title === held.wanted) document.title = held.own;
}
"""

_title = st.components.v2.component("augury_title", html="<span hidden></span>", js=_TITLE)


def tab_title(view: RunView) -> None:
    """Say in the tab's title how far the run is, or how it ended."""
    _title(key="tab_title", data=title_of_tab(view), height=1)


def title_of_tab(view: RunView) -> str:
    """E.g. ``▶ 42 % · LeNet``, then ``✓ 97.1 % · LeNet`` with its validation accuracy, or ``✗ LeNet``."""
    name = title(view.spec)
    match view.state:
        case "queued":
            return f"… {name}"
        case "running" | "paused":
            mark = "▶" if view.state == "running" else "⏸"
            return f"{mark} {100 * view.progress().share:.0f} % · {name}"
        case "failed" | "interrupted":
            return f"✗ {name}"
    result = view.history.result
    mark = "✓" if view.state == "finished" else "■"
    return f"{mark} {100 * result['validation_accuracy']:.1f} % · {name}" if result else f"{mark} {name}"
