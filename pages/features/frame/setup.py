"""What every page does first: its title, torch ready, and the one job manager of this server.

Each page calls `page` itself: with a `pages/` folder Streamlit may open any of them first, so there
is no script that has always run before.
"""

from __future__ import annotations

import gc
from pathlib import Path

import streamlit as st

from core.jobs.manager import Jobs, shared_jobs
from pages.features.frame.steps import no_step_for_a_dial
from pages.features.frame.teacher import shown

ASSETS = Path(__file__).parents[2] / "assets"
# A file of our own: Streamlit's named icons are fetched from another host for a page's icon.
ICON = str(ASSETS / "icon.svg")
# Drawn here and not by Streamlit, which would call the landing page after its file: "app".
PAGES = (("app.py", "Start"), ("pages/1_Augment.py", "Augment"), ("pages/2_Train.py", "Train"))


def page(title: str) -> None:
    """Set the page up; call it before anything else is drawn."""
    st.set_page_config(page_title=f"{title} · Augury", page_icon=ICON, layout="wide")
    st.html(ASSETS / ("dark.css" if st.context.theme.type == "dark" else "light.css"))
    no_step_for_a_dial()
    _prepare()
    if shown("pages"):
        with st.sidebar.container(horizontal=True, gap="small"):
            for file, label in PAGES:
                st.page_link(file, label=label)


@st.cache_resource(show_spinner="Starting PyTorch and Kornia…")
def _prepare() -> None:
    import kornia.augmentation  # noqa: F401  the first import takes a second; here it has a spinner
    import torch

    from core.models.summary import summarise
    from core.presets import FIRST_LOOK
    from core.preview.results import warm
    from core.run.spec import ModelSpec
    from core.runtime import prepare_torch

    prepare_torch()
    jobs().warm()
    warm(FIRST_LOOK.augment, torch.zeros((16, 3, 224, 224), dtype=torch.uint8))
    summarise(
        ModelSpec(), channels=1, side=28, num_classes=10
    )  # torch imports much at its first use of shapes
    # What is imported by now lives as long as the server: a collector that never looks at it again
    # spares every viewer the 50–130 ms it would hold the interpreter.
    gc.collect()
    gc.freeze()


def jobs() -> Jobs:
    """The one manager of runs in this server, shared by all visitors. It is in no cache of Streamlit's: any
    visitor's browser can ask for those to be cleared."""
    return shared_jobs()
