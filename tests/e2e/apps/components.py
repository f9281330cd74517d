"""A page of the shared pieces with made-up curves and pictures, for the browser tests and to look at.

A button is one update, so a test decides when; `?live=1` updates twice a second by itself.
"""

from __future__ import annotations

import math
import random

import plotly.graph_objects as go
import streamlit as st

from pages.widgets.live_chart import live_chart

st.set_page_config(page_title="Components", layout="wide")


def curves(step: int) -> go.Figure:
    """Losses that fall and a penalty that rises, ``step`` epochs long."""
    noise = random.Random(0)
    epochs = [epoch / 4 for epoch in range(4 * (step + 8))]
    train = [2.2 * math.exp(-x / 2) + 0.08 + noise.uniform(-0.04, 0.04) for x in epochs]
    validation = [2.1 * math.exp(-x / 2.3) + 0.16 + noise.uniform(-0.02, 0.02) for x in epochs]
    penalty = [0.4 * (1 - math.exp(-x / 3)) for x in epochs]
    lines = {"train": train, "validation": validation, "penalty": penalty}
    figure = go.Figure(
        [go.Scatter(x=epochs, y=y, name=name, mode="lines") for name, y in lines.items()],
        go.Layout(
            template="none",
            margin={"l": 48, "r": 12, "t": 12, "b": 40},
            hovermode="x unified",
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            xaxis={"title": {"text": "epoch"}, "range": [0, 20], "zeroline": False},
            yaxis={"title": {"text": "loss"}, "rangemode": "tozero"},
            uirevision="demo",
        ),
    )
    return figure


@st.fragment(run_every=0.5 if st.query_params.get("live") else None)
def live() -> None:
    st.button("Update", on_click=lambda: st.session_state.update(step=st.session_state.step + 1))
    if st.query_params.get("live"):
        st.session_state.step += 1
    step = st.session_state.step
    left, right = st.columns(2)
    figure = curves(step).to_json()
    with left:
        live_chart(figure, key="loss", height=320, alt="Loss by epoch: train, validation, penalty.")
    with right:
        live_chart(figure, key="second", height=320, alt="The same again.")
    st.text(f"Update {step}")


st.session_state.setdefault("step", 0)
st.title("Components")
live()
