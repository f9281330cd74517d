"""How strongly training acts on each layer: a chart, and a sentence that says how to read it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.figures.flow import gradient_norms, update_ratios
from core.figures.parts import Figure
from core.jobs.views import RunView
from core.text.acted import acted_in_words
from core.text.escape import plain
from pages.components.live_chart import live_chart
from pages.features.live.run_charts import chart, shown_history

UPDATES, GRADIENTS = "Updates", "Gradients"
FLOW_WAYS: dict[str, tuple[Callable[..., Figure], str]] = {
    UPDATES: (update_ratios, "Line chart of how far a step moves the weights of each layer."),
    GRADIENTS: (gradient_norms, "Line chart of the norm of the gradient by layer."),
}
_READ = {
    UPDATES: "How far the last batch of each epoch moved a layer's weights: ‖Δw‖₂ / ‖w‖₂, all that moves "
    "them together (optimiser, decay, proximal steps). About 0.001 is usual, a rule of thumb: far below, and "
    "a layer hardly learns; far above, and the learning rate is too high for it.",
    GRADIENTS: "‖g‖₂ of each layer's weights at the last batch of each epoch, penalties of the loss in it. "
    "A layer whose line lies far below the others gets little to learn from; one that shoots up is about to "
    "diverge.",
}


def flow_chart(view: RunView, way: str) -> None:
    """Draw one of `FLOW_WAYS`."""
    draw, alt = FLOW_WAYS[way]
    of = "update" if way == UPDATES else "gradient"
    flow = shown_history(view).epochs[-1]["flow"][of]
    said = ", ".join(f"{name} {value:.1e}" for name, value in flow.items() if value is not None)
    live_chart(chart(view, draw), key=f"layers.{way}", height=320, alt=f"{alt} Now: {said}.")
    st.caption(_READ[way])
    if way == GRADIENTS:
        for said in acted_in_words(shown_history(view)):
            st.caption(plain(said))
