"""What every page does first: its title, the workers started, and the one job manager of this server.

Each page calls `page` itself: with a `pages/` folder Streamlit may open any of them first, so there
is no script that has always run before.
"""

from __future__ import annotations

import threading
import time
from functools import cache
from pathlib import Path

import streamlit as st

from core.interactive.client import shared_interactive
from core.jobs.manager import Jobs
from core.jobs.shared import shared_jobs
from core.study.shared import shared_studies
from pages.features.frame.bar import bar
from pages.features.frame.size import presenter_size
from pages.features.frame.steps import address_follows, no_step_for_a_dial
from pages.features.frame.teachers_key import take_teachers_key

ASSETS = Path(__file__).parents[2] / "assets"
# A file of our own: Streamlit's named icons are fetched from another host for a page's icon.
ICON = str(ASSETS / "icon.svg")
DRAWING_SECONDS = 2.0  # that a page which asks for nothing has to be drawn
FIRST_SECONDS = 3.0  # that the worker which a page needs first has for itself
_prepared = threading.Event()


def page(title: str, sheet: str = "", *, sheet_open: bool = False) -> None:
    """Set the page up; call it before anything else is drawn.

    Args:
        sheet: what is in the sidebar, in a word; empty if the page has none.
        sheet_open: whether a telephone shows it from the start.
    """
    st.set_page_config(
        page_title=f"{title} · Augury",
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state="expanded" if sheet_open else "auto",
    )
    with st.container(key="unseen"):  # or each would take a line's room
        theme = "dark.css" if st.context.theme.type == "dark" else "light.css"
        st.html(_style("frame.css", "common.css", theme, *(["presenter.css"] if presenter_size() else [])))
        no_step_for_a_dial()
    address_follows(title)
    take_teachers_key()
    if not _prepared.is_set():
        _prepared.set()
        _prepare(title)
    bar(title, sheet, sheet_open=sheet_open)


@cache
def _style(*names: str) -> str:
    return f"<style>{''.join((ASSETS / name).read_text('utf-8') for name in names)}</style>"


def _prepare(title: str) -> None:
    """Once in a server: its two workers import torch while the first page is drawn."""
    threading.Thread(target=_warm, args=(title,), name="warm", daemon=True).start()


def _warm(title: str) -> None:
    """First the page, then the worker that it needs, then the other: on two cores, two imports take twice as
    long."""
    manager = jobs()
    shared_studies()  # those that run go on, whether or not anybody looks
    if title == "Start":
        time.sleep(DRAWING_SECONDS)
        manager.warm()
        time.sleep(FIRST_SECONDS)
        shared_interactive().warm()
    else:
        shared_interactive().warm()
        shared_interactive().wait_ready(FIRST_SECONDS)
        manager.warm()


def jobs() -> Jobs:
    """The one manager of runs in this server, shared by all visitors. It is in no cache of Streamlit's: any
    visitor's browser can ask for those to be cleared."""
    return shared_jobs()
