"""A learning-rate range test as a chart, and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.figures.parts import BATCH, NEUTRAL, TRAIN, line, plain_layout
from core.figures.probes import Chart, Row
from core.study.rules.rate import rate_range

MOST_SHOWN = 2.5  # times the first loss: the rest goes up out of the picture


def chart(rows: Sequence[Row]) -> Chart | None:
    """The loss of each batch and its running mean against the rate; None: there is nothing to draw."""
    if not rows:
        return None
    rates, smooth = [row["rate"] for row in rows], [row["smooth"] for row in rows]
    traces = [
        line("of each batch", rates, [row["loss"] for row in rows], BATCH, width=1, opacity=0.7),
        line("running mean", rates, smooth, TRAIN),
    ]
    layout = plain_layout("loss")
    layout["xaxis"] |= {"type": "log", "title": {"text": "learning rate"}, "dtick": 1, "tickformat": "~g",
                        "hoverformat": "~g"}  # fmt: skip
    layout["yaxis"] |= {"range": [0, MOST_SHOWN * max(smooth[0], 1e-9)]}
    found = rate_range(rates, smooth)
    if found:
        at = {"x0": found.suggested, "x1": found.suggested, "yref": "paper", "y0": 0, "y1": 1}
        useful = {"x0": found.begins, "x1": found.least, "yref": "paper", "y0": 0, "y1": 1}
        layout["shapes"] = [
            {
                "type": "rect",
                **useful,
                "fillcolor": NEUTRAL,
                "opacity": 0.12,
                "line": {"width": 0},
                "layer": "below",
            },
            {"type": "line", **at, "line": {"color": NEUTRAL, "width": 1.5, "dash": "dot"}},
        ]
        layout["annotations"] = [
            {"x": math.log10(found.suggested), "y": 1, "yref": "paper", "yanchor": "top", "xanchor": "left",
             "showarrow": False, "text": "suggested", "font": {"size": 12}}
        ]  # fmt: skip
    return Chart(
        {"data": traces, "layout": layout}, f"Loss against the learning rate. {' '.join(sentences(rows))}"
    )


def sentences(rows: Sequence[Row]) -> list[str]:
    """What the test suggests, and why."""
    found = rate_range([row["rate"] for row in rows], [row["smooth"] for row in rows])
    if found is None:
        return ["The loss never fell over these rates: nothing can be suggested."]
    return [
        f"**A rate of about {found.suggested:g}** is suggested: a tenth of {found.least:.2g}, at which the "
        "loss is least.",
        f"It begins to fall at {found.begins:.2g}; from there to {found.least:.2g} a rate is useful (Smith "
        "2017).",
        f"From {len(rows)} steps of one epoch, good to a factor of about three.",
    ]
