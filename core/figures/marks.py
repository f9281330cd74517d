"""Where a run was edited, on every chart over its epochs."""

from __future__ import annotations

from collections.abc import Sequence

from core.figures.parts import NEUTRAL, Figure, upright
from core.text.escape import plain_html

Marks = Sequence[tuple[float, str]]  # the epochs done, and what was changed then
MOST = 60  # lines that still can be told apart


def with_marks(figure: Figure, marks: Marks) -> Figure:
    """A dotted line with a flag at each mark, whose hover says what was changed; a figure whose x-axis is not
    epochs stays as it is."""
    layout = figure["layout"]
    title = layout.get("xaxis", {}).get("title", {})
    if not marks or (title.get("text") if isinstance(title, dict) else title) != "epoch":
        return figure
    shown = marks[-MOST:]
    shapes = [upright(epoch, NEUTRAL, width=1) for epoch, _ in shown]
    flags = [
        {
            "x": epoch,
            "yref": "paper",
            "y": 1,
            "yanchor": "top",
            "xanchor": "center",
            "text": "▼",
            "showarrow": False,
            "font": {"size": 12, "color": NEUTRAL},
            "hovertext": plain_html(words),
            "captureevents": True,
        }
        for epoch, words in shown
    ]
    more = {
        "shapes": [*layout.get("shapes", ()), *shapes],
        "annotations": [*layout.get("annotations", ()), *flags],
    }
    return {**figure, "layout": {**layout, **more}}
