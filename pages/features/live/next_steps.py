"""Beneath a run that has ended: train again with a change, or take it home."""

from __future__ import annotations

import streamlit as st

from core.figures.epochs_csv import epochs_csv
from core.jobs.views import RunView
from core.run.history import edits_json
from core.run.made import is_made
from pages.features.editor import choice
from pages.features.frame.downloads import has_weights, weights_address
from pages.features.frame.teacher import part_shown
from pages.features.live.chance_table import chance_table
from pages.features.live.compare_box import compare_box
from pages.features.live.outcome import others
from pages.features.live.repeat_box import repeat_box
from pages.features.live.same_but_box import same_but_box


def what_next(view: RunView) -> None:
    """Buttons for it, in a row. A network that was made of others' is not made again by its spec alone."""
    if is_made(view.inputs):
        st.caption("It was made of another run's network; what else can be made of it is under *Compress*.")
        if (found := others(view)) and view.history.epochs:
            st.page_link(
                "pages/3_Runs.py",
                label="Compare with what it was made of",
                icon=":material/stacked_line_chart:",
                query_params={"runs": f"{found[0]},{view.id}"},
            )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Change something and train again",
            type="primary",
            icon=":material/tune:",
            on_click=_choose_again,
            args=(view,),
        )
        if part_shown("next"):
            same_but_box(view)
        if (found := others(view)) and view.history.epochs:
            st.page_link(
                "pages/3_Runs.py",
                label="Compare with its parent"
                if view.inputs.get("parent")
                else "Compare with the closest run before",
                icon=":material/stacked_line_chart:",
                query_params={"runs": f"{found[0]},{view.id}"},
            )
        if part_shown("next"):
            compare_box(view)
            repeat_box(view)
            st.page_link(
                "pages/4_Studies.py",
                label="Study it",
                icon=":material/science:",
                query_params={"about": view.id},
                help="Which λ? Does it help? Which of many? Answered by many runs like this one.",
            )
        st.download_button(
            "Settings (JSON)",
            view.spec.to_json(indent=2),
            f"augury-{view.id[:8]}.json",
            icon=":material/download:",
        )
        if view.history.edits:
            st.download_button(
                "Changes (JSON)",
                edits_json(view.history),
                f"augury-{view.id[:8]}-edits.json",
                icon=":material/download:",
                help="`python -m core run SETTINGS --edits CHANGES` makes them again at their steps.",
            )
        st.download_button(
            "Epochs (CSV)",
            epochs_csv((view.history, view.id, view.spec)),
            f"augury-{view.id[:8]}.csv",
            icon=":material/download:",
            disabled=not view.history.epochs,
        )
        if has_weights(view.id):
            st.link_button(
                "Weights",
                weights_address(view.id),
                icon=":material/download:",
                help="The saved network as safetensors. Under Inside, Mistakes are the lines that load it.",
            )
    if part_shown("next"):
        chance_table(view)


def _choose_again(view: RunView) -> None:
    del st.query_params["run"]
    choice.start_from(view.spec)
