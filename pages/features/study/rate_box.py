"""A learning-rate range test of a run, in one epoch."""

from __future__ import annotations

import json

import streamlit as st

from core.figures.study.rate import chart, sentences
from core.jobs.views import RunView
from core.optimise.catalogue import OPTIMISERS
from core.run.spec import RunSpec
from core.text.escape import plain_but_bold
from pages.components.live_chart import live_chart
from pages.features.frame.job_box import job_box, rows

FIELDS = ("rate", "loss", "smooth")
HEIGHT = 240
WIDER = 10.0  # times what a dial offers: the test must see where it goes wrong


def rate_box(spec: RunSpec) -> None:
    """A button that tries the rates of the run's optimiser, and what came out."""
    entry = OPTIMISERS[spec.optimiser.kind]
    inputs = {"low": entry.lr_low / WIDER, "high": min(10.0, entry.lr_high * WIDER)}
    st.markdown("**Which rate?** One epoch in which the learning rate rises from tiny to huge.")
    job_box(
        spec, "probe.rate_range", inputs, _draw, key="study.rate", label="Try the rates",
        icon=":material/show_chart:",
    )  # fmt: skip


def _draw(view: RunView) -> None:
    found = rows(view, *FIELDS)
    if drawn := chart(found):
        live_chart(json.dumps(drawn.figure), key="study.rate.chart", height=HEIGHT, alt=drawn.alt)
        for sentence in sentences(found):
            st.markdown(plain_but_bold(sentence))
