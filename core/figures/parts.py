"""What all figures are made of: colours, lines, layouts.

The figures know no theme: backgrounds are transparent and the text's colour is left to the page that
shows them, so one figure serves every viewer, light or dark. The same things have the same colours
everywhere (Okabe–Ito, told apart with any kind of colour vision).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.regularise.catalogue import REGULARISERS
from core.run.history import History
from core.text.escape import plain_html

Figure = dict[str, Any]

TRAIN, VALIDATION, PENALTY, SPARSITY = "#0072B2", "#D55E00", "#E69F00", "#009E73"
BATCH = "#56B4E9"  # one batch of the training images: train's colour, lighter
NEUTRAL = "#999999"
# Layers from the first to the last, as one ramp; each has 3:1 on white and on the dark theme's ground.
RAMP = ("#12908E", "#2B86C5", "#5C79DD", "#8A66D9", "#B257C4", "#C7529B")
OTHERS = ("#56B4E9", "#CC79A7", "#E69F00")
# One family: all of them are penalties, and there are six.
PENALTIES = (PENALTY, "#B36B00", "#F2C14E", "#8C5A1A", "#D9A679", "#66512C")
DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "4px,2px")
LABEL_SHARE = 0.13  # of an axis' height that a line's name takes on the smallest chart
MOST_EPOCHS = 200  # columns or rows of a picture; more would be thinner than a pixel


def line(
    name: str,
    x: Sequence[float],
    y: Sequence[float | None],
    colour: str,
    *,
    width: float = 2.5,
    dash: str = "solid",
    opacity: float = 1.0,
    markers: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """A trace; ``more`` goes into it as it stands."""
    return {
        "type": "scatter",
        # A line through one point is invisible: until there are two, show the point itself.
        "mode": "lines+markers" if markers or len(x) < 2 else "lines",
        "name": plain_html(name),
        "x": x,
        "y": y,
        "opacity": opacity,
        "line": {"color": colour, "width": width, "dash": dash},
        "marker": {"color": colour, "size": 5},
        "cliponaxis": False,  # the last marker is whole
        "hovertemplate": "%{y:.4g}",
        **more,
    }


def over_epochs(traces: list[dict[str, Any]], history: History, run_id: str, y_title: str) -> Figure:
    """A chart whose x-axis is the whole run from the start, so that the line grows into its place."""
    layout = plain_layout(y_title)
    layout["uirevision"] = run_id  # a person's zoom and legend choices last as long as the run is shown
    epochs: float = history.total_epochs or 1
    if history.ended and history.epochs:  # it was stopped: nothing more will come
        epochs = history.epochs[-1]["epoch"]
    if diverged := history.diverged:  # often in the first epochs of many; with room for the mark
        epochs = 1.05 * diverged[1]
    layout["xaxis"] |= {"title": {"text": "epoch"}, "range": [0, epochs]}
    if 2 <= epochs <= 10:
        layout["xaxis"]["dtick"] = 1  # else half epochs on a wide chart
    layout["shapes"] = []
    if history.is_chosen and history.result:
        word = {"text": "saved", "textposition": "start", "font": {"size": 12}, "textangle": 0}
        layout["shapes"].append({**upright(history.result["epoch"], NEUTRAL), "label": word})
    if diverged:
        step, epoch = diverged
        layout["shapes"].append(upright(epoch, VALIDATION))
        layout["annotations"] = [_diverged_word(epoch, step)]
    return {"data": traces, "layout": layout}


def upright(epoch: float, colour: str, *, width: float = 1.5, dash: str = "dot") -> dict[str, Any]:
    """A line over the whole height, as a shape of a layout."""
    return {
        "type": "line",
        "x0": epoch,
        "x1": epoch,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": colour, "width": width, "dash": dash},
    }


def _diverged_word(epoch: float, step: int) -> dict[str, Any]:
    """Beside the line: where the loss stopped being a number."""
    text = {"text": f"no number at step {step:,}", "showarrow": False, "font": {"size": 12}}
    return {**text, "x": epoch, "xanchor": "right", "yref": "paper", "y": 1, "yanchor": "top"}


def plain_layout(y_title: str) -> dict[str, Any]:
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 12, "t": 8, "b": 40},
        "hovermode": "x unified",
        "legend": {
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "font": {"size": 12},
            "itemwidth": 30,
            "entrywidthmode": "pixels",
            "entrywidth": 0,
        },
        "xaxis": {"zeroline": False},
        "yaxis": {"title": {"text": y_title, "standoff": 8}, "zeroline": False},
    }


def layer_colours(count: int) -> list[str]:
    """A colour a layer, evenly along `RAMP`."""
    stops = [tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in RAMP]
    colours = []
    for i in range(count):
        at = (len(RAMP) - 1) * (i / (count - 1) if count > 1 else 0.0)
        left = min(int(at), len(RAMP) - 2)
        mixed = (a + (b - a) * (at - left) for a, b in zip(stops[left], stops[left + 1], strict=True))
        colours.append("#" + "".join(f"{round(part):02X}" for part in mixed))
    return colours


def name_at_ends(
    figure: Figure, traces: Sequence[dict[str, Any]], low: float, high: float, *, log: bool = False
) -> None:
    """Name lines where they end, in their colours, in place of a legend; pushed apart where they meet.

    Args:
        low, high: ends of the y-axis, which is fixed; their logarithms to base 10 if it is ``log``.
    """
    known = {i: [y for y in trace["y"] if y is not None] for i, trace in enumerate(traces)}
    tips = sorted((math.log10(ys[-1]) if log else ys[-1], i) for i, ys in known.items() if ys)
    ends = [traces[i] for _, i in tips]
    least = LABEL_SHARE * (high - low)
    places: list[float] = []
    for tip, _ in tips:
        places.append(max(tip, places[-1] + least if places else low))
    for i in range(len(places) - 1, -1, -1):  # what was pushed over the top comes back down
        above = places[i + 1] - least if i + 1 < len(places) else high
        places[i] = min(places[i], above)
    layout = figure["layout"]
    layout["margin"] = layout["margin"] | {"r": 84}
    layout["annotations"] = [
        *layout.get("annotations", ()),
        *(
            {
                "text": trace["name"],
                "xref": "paper",
                "x": 1.01,
                "y": place,
                "xanchor": "left",
                "yanchor": "middle",
                "showarrow": False,
                "font": {"size": 12, "color": trace["line"]["color"]},
            }
            for trace, place in zip(ends, places, strict=True)
        ),
    ]
    for trace in traces:
        trace["showlegend"] = False


def round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 and their multiples by ten, from just below ``low`` to just above ``high``."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [
        base * 10.0**decade
        for decade in decades
        for base in (1, 2, 5)
        if low / 2 <= base * 10.0**decade <= 2 * high
    ]


def has_lambda(kind: str) -> bool:
    """Whether a regulariser's strength is called λ; one that is only in old runs is taken to have such."""
    if kind not in REGULARISERS:
        return True
    entry = REGULARISERS[kind]
    return entry.default_strength is not None and entry.symbol == "λ"


def short(kind: str) -> str:
    """What a legend calls a regulariser; the kind itself if there is none of it now, as in an old run."""
    return REGULARISERS[kind].short if kind in REGULARISERS else kind


def share_of(count: int | None) -> str:
    """What hovering says of a share in per cent, of so many; None: that is not known."""
    return f"%{{y:.1f}} % of {count:,}" if count else "%{y:.1f} %"


def with_alpha(colour: str, alpha: float) -> str:
    """``#rrggbb`` as ``rgba(…)``."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
