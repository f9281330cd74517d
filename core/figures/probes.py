"""The lab's figures: plain Plotly dictionaries that know no theme, each with a sentence that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from core.figures.parts import BATCH, PENALTY, TRAIN, VALIDATION, Figure, plain_layout
from core.measure.paired import fall, fall_interval

if TYPE_CHECKING:
    from core.preview.histograms import Histogram

Row = Mapping[str, Any]  # of a job's table

NEUTRAL = "#999999"
RGB = (("red", "#D55E00"), ("green", "#009E73"), ("blue", "#0072B2"))
GREY = (("grey", NEUTRAL),)


class Chart(NamedTuple):
    """A figure, and one sentence or two that say what it shows, for those who can't see it."""

    figure: Figure
    alt: str


def accuracies(rows: Sequence[Row]) -> Chart:
    """A bar a pipeline, with the 95 % interval of its fall, and a line at the first, the plain images'
    accuracy, from which each falls.

    Args:
        rows: of a ``probe.label_damage`` job, at least one.
    """
    shares = [100 * row["right"] / row["images"] for row in rows]
    images = rows[0]["images"]
    falls = [100 * fall(row["lost"], row["won"], images) for row in rows]
    ends = [[100 * end for end in fall_interval(row["lost"], row["won"], images)] for row in rows]
    ends[0] = [0.0, 0.0]  # the plain images don't fall from themselves
    above = [each - low for each, (low, _) in zip(falls, ends, strict=True)]
    below = [high - each for each, (_, high) in zip(falls, ends, strict=True)]
    error = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": NEUTRAL}
    bars = _bars("accuracy", [row["title"] for row in rows], shares, VALIDATION)
    bars |= {
        "error_x": error,
        "text": [f"{share:.1f} %" for share in shares[:1]]
        + [
            f"{share:.1f} %, {-each:+.1f}".replace("-", "−")
            for share, each in zip(shares[1:], falls[1:], strict=True)
        ],
        "textposition": "inside",
        "insidetextanchor": "start",
        "customdata": [[each, *both] for each, both in zip(falls, ends, strict=True)],
        "hovertemplate": "%{y}: %{x:.1f} %, a fall of %{customdata[0]:.1f} points "
        "(95 %: %{customdata[1]:.1f} to %{customdata[2]:.1f})<extra></extra>",
    }
    layout = _bar_layout(f"correct of {images:,} validation images (%)", [0, 103])
    line = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}
    layout["shapes"] = [
        {"type": "line", "x0": shares[0], "x1": shares[0], "yref": "paper", "y0": 0, "y1": 1, "line": line}
    ]
    said = ", ".join(f"{row['title']} {share:.0f} %" for row, share in zip(rows, shares, strict=True))
    alt = f"Bars: accuracy on {images:,} validation images by operation. {said}."
    return Chart({"data": [bars], "layout": layout}, alt)


def costs(rows: Sequence[Row]) -> Chart:
    """A bar an operation, cut into drawing and applying, one for all of them, and one for training.

    Args:
        rows: of a ``probe.cost`` job, at least one; the training step may not be known yet.
    """
    measured = [row for row in rows if row["part"] != "training"]
    training = next((row for row in rows if row["part"] == "training"), None)
    titles = [row["title"] for row in measured]
    traces = [
        _bars("drawing random numbers", titles, [row["draw"] for row in measured], PENALTY),
        _bars("applying", titles, [row["apply"] for row in measured], BATCH),
    ]
    alt = f"Bars: microseconds an image, on {rows[0]['device'].upper()}. "
    alt += ", ".join(f"{row['title']} {_short(row['total'])}" for row in measured) + "."
    share = share_of_step(rows)
    if training is not None:
        traces.append(_bars("training", [training["title"]], [training["total"]], TRAIN))
    if training is not None and share is not None:
        alt += (
            f" Of a training step augmentation takes {100 * share:.0f} %,"
            f" beside {_short(training['total'])} microseconds an image of training."
        )
    for trace in traces:
        trace["hovertemplate"] = f"%{{y}}, {trace['name']}: %{{x:,.1f}} µs an image<extra></extra>"
    layout = _bar_layout("µs an image") | {"barmode": "stack"}
    return Chart({"data": traces, "layout": layout}, alt)


def share_of_step(rows: Sequence[Row]) -> float | None:
    """The share, from 0 to 1, of a training step's time that the whole pipeline takes; None while one of the
    two is not known."""
    total = {row["part"]: float(row["total"]) for row in rows}
    if "whole" not in total or "training" not in total:
        return None
    return total["whole"] / (total["whole"] + total["training"])


def value_histograms(before: Histogram, after: Histogram) -> Chart:
    """A row a channel: the share of its pixels by value, before as a dotted line, after filled.

    The pixels at 0 and 255 are often more than all others, and stand as numbers in the corners: a row is
    as high as what lies between.
    """
    num_channels, bins = before.shares.shape
    channels = GREY if num_channels == 1 else RGB
    width = 256 / bins
    layout = plain_layout("")
    layout["xaxis"] |= {"title": {"text": "value"}, "range": [0, 255], "dtick": 51, "anchor": "free"}
    layout["annotations"] = []
    traces: list[dict[str, Any]] = []
    said: list[str] = []
    for row, (name, colour) in enumerate(channels):
        axis = "y" if row == 0 else f"y{row + 1}"
        top = 1 - row / num_channels
        layout[axis.replace("y", "yaxis")] = {
            "title": {"text": f"{name} (%)"},
            "domain": [top - 0.9 / num_channels, top],
            "range": [0, 1.3 * max(float(each.shares[row, 1:-1].max()) for each in (before, after)) or 100],
            "zeroline": False,
        }
        ends = (
            (0.03, "left", 0, before.black[row], after.black[row]),
            (0.97, "right", 255, before.white[row], after.white[row]),
        )
        layout["annotations"] += [
            _note(x, top, anchor, f"{value}: {was:.1f} → {now:.1f} %") for x, anchor, value, was, now in ends
        ]
        for when, of, style in (("before", before, "dot"), ("after", after, "solid")):
            shares = [round(share, 4) for share in of.shares[row].tolist()]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": f"{name}, {when}",
                    "x": [b * width for b in range(bins + 1)],
                    "y": [*shares, shares[-1]],  # the last step has an end, too
                    "yaxis": axis,
                    "line": {"color": colour, "width": 1.5, "dash": style, "shape": "hv"},
                    "hovertemplate": "%{y:.2f} %",
                }
            )
        traces[-1] |= {"fill": "tozeroy"}
        said.append(f"{name} {clipped(before, after, row)}")
    alt = "Curves: per cent of pixels by value from 0 to 255, before and after. "
    return Chart({"data": traces, "layout": layout}, alt + "; ".join(said).capitalize() + ".")


def clipped(before: Histogram, after: Histogram, channel: int) -> str:
    """E.g. ``3.1 % clipped to white (0.0 % before), 0.2 % to black (0.2 % before)``."""
    return (
        f"{after.white[channel]:.1f} % clipped to white ({before.white[channel]:.1f} % before), "
        f"{after.black[channel]:.1f} % to black ({before.black[channel]:.1f} % before)"
    )


def _short(microseconds: float) -> str:
    return f"{microseconds:,.{0 if microseconds >= 10 else 1}f}"


def _note(x: float, y: float, anchor: str, text: str) -> dict[str, Any]:
    """Words at a place on the paper, which spans 0 to 1."""
    return {
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": anchor,
        "yanchor": "top",
        "showarrow": False,
        "text": text,
        "font": {"size": 12},
    }


def _bars(name: str, titles: list[str], lengths: list[float], colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": titles,
        "x": lengths,
        "marker": {"color": colour},
    }


def _bar_layout(x_title: str, reach: list[float] | None = None) -> dict[str, Any]:
    """Bars from the top down, in the order they come."""
    layout = plain_layout("") | {"hovermode": "closest"}
    layout["xaxis"] |= {"title": {"text": x_title}}
    if reach:
        layout["xaxis"] |= {"range": reach}
    layout["yaxis"] |= {"automargin": True, "autorange": "reversed"}
    return layout
