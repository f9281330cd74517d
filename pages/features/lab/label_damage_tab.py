"""Whether an operation changes what the label should be: as declared, and as a trained network sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.figures import probes as figures
from core.jobs.views import RunView
from core.probe.label_warnings import label_warnings
from core.probe.trained_run import latest_run
from core.text.describe import data_in_words
from core.text.escape import plain
from pages.components.gallery import Line, Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.frame.job_box import job_box, rows
from pages.features.frame.setup import jobs
from pages.features.lab.label_changes import label_changes
from pages.features.lab.look import Look

FIELDS = ("title", "right", "images", "low", "high", "lost", "won", "mistakes")


def label_damage_tab(look: Look) -> None:
    """Warnings first; then, where a run on these images has finished, what its network makes of them."""
    warnings = label_warnings(look.augment)
    for title, sentence in warnings:
        st.warning(f"**{title}.** {sentence}", icon=":material/warning:")
    if not warnings:
        st.success("No operation that is on is known to change labels.", icon=":material/check:")
    label_changes(look)
    st.markdown("**What a trained network says**")
    run = latest_run(jobs().recent(), look.spec.data)
    if run is None:
        st.info(
            f"Train on {plain(data_in_words(look.spec.data))} once, without these operations. Then you see "
            "here how often that network still names validation images correctly after each of them.",
            icon=":material/model_training:",
        )
        return
    st.caption(
        f"The network of “{plain(run.name) or 'Unnamed'}”, the latest finished run on "
        f"{plain(data_in_words(look.spec.data))}, on the images it kept for validation: plain, after each "
        "operation alone (p = 1), and after the whole pipeline. A bar that falls means that the label lies, "
        "or that the network never learnt that the change means nothing: the pictures tell which."
    )
    job_box(
        run.spec,
        "probe.label_damage",
        {"weights_of": run.id, "augment": look.augment.model_dump(mode="json"), "seed": look.seed},
        _show,
        key="label_damage.measure",
        label="Measure",
        icon=":material/fact_check:",
    )


def _show(view: RunView) -> None:
    known = rows(view, *FIELDS)
    if not known:
        return
    chart = figures.accuracies(known)
    live_chart(json.dumps(chart.figure), key="label_damage", height=120 + 40 * len(known), alt=chart.alt)
    plain_images = known[0]
    st.caption(
        "Whiskers: the 95 % interval of the fall from the plain images, image by image on the same "
        f"{plain_images['images']:,}. How many plain images the network names correctly is known less well: "
        f"95 % interval {100 * plain_images['low']:.1f} to {100 * plain_images['high']:.1f} %."
    )
    if view.inputs["augment"].get("choose") is not None:
        st.caption("Where operations are chosen at random, each image has a choice of its own here.")
    for row in known:
        if row["mistakes"]:
            st.markdown(f"**{plain(row['title'])}**: known plain, mistaken after")
            gallery([_tile(each) for each in row["mistakes"]], key=f"label_damage.{row['title']}")


def _tile(mistake: Mapping[str, Any]) -> Tile:
    caption = f"{mistake['label']}, taken for {mistake['answer']}"
    return Tile(
        src=mistake["after"],
        alt=f"{caption}.",
        caption=caption,
        lines=(Line("sure", f"{mistake['confidence']:.0%}"),),
        before=mistake["before"],
    )
