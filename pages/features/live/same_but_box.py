"""Beneath a run that has ended: the same run but for one thing, started with one press."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from core.catalogues import completed
from core.jobs.views import RunView
from core.run.errors import SpecError
from core.text.escape import plain
from core.text.same_but import same_but
from pages.features.live.starting import frozen_note
from pages.features.live.trained_before import open_or_start_here

PART_WIDTH = 110  # pixels


def same_but_box(view: RunView) -> None:
    """A button a change; a run that was trained before is opened. Not there for a spec that no longer is, nor
    for a run that was changed or that branches from another."""
    if view.history.edits or view.inputs.get("parent"):
        return  # no run from the start is the same as it was
    try:
        found = same_but(completed(view.spec))
    except SpecError:  # a part of it is no longer there
        return
    with st.popover("Same but …", icon=":material/compare:", help="Change one thing and start at once"):
        frozen_note()
        for part, variants in groupby(found, key=lambda each: each.part):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.caption(plain(part), width=PART_WIDTH)
                for each in variants:
                    st.button(
                        plain(each.words[:1].upper() + each.words[1:]),
                        key=f"same_but.{each.words}",
                        on_click=open_or_start_here,
                        args=(each.spec,),
                    )
        st.caption("Each is judged by the same validation images, and compared with this run when it ends.")
