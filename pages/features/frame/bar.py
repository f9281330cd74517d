"""The bar that leads from page to page: at the top of a wide screen, at the bottom of a telephone's."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.text.escape import plain
from pages.components.sheet import sheet_button
from pages.features.frame.teacher import shown


class PageLink(NamedTuple):
    """A page by its file, and what a person reads."""

    file: str
    label: str
    icon: str


# One entry more is one page more. Not drawn by Streamlit, which would call Start after its file: "app".
PAGES = (
    PageLink("app.py", "Start", ":material/home:"),
    PageLink("pages/1_Augment.py", "Augment", ":material/auto_fix_high:"),
    PageLink("pages/2_Train.py", "Train", ":material/model_training:"),
    PageLink("pages/3_Runs.py", "Runs", ":material/stacks:"),
    PageLink("pages/4_Studies.py", "Studies", ":material/science:"),
)


def bar(here: str, sheet: str, *, sheet_open: bool) -> None:
    """Draw it.

    Args:
        here: the label of the page that is shown.
        sheet: what is in its sidebar, for the button that opens it on a telephone; empty: it has none.
        sheet_open: whether it is open at first there.
    """
    with st.container(key="bar", horizontal=True, vertical_alignment="center"):
        if shown("pages"):
            with st.container(key="brand", width="content"):
                st.page_link(PAGES[0].file, label="Augury")
            for i, each in enumerate(PAGES):
                with st.container(key="here" if each.label == here else f"page_{i}", width="content"):
                    st.page_link(each.file, label=plain(each.label), icon=each.icon)
        if sheet:
            with st.container(key="sheet", width="content"):
                sheet_button(sheet, f"{here} {st.query_params.get('run', '')}", is_open=sheet_open)
