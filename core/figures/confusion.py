"""The confusion matrix as a figure: rows are what images are, columns what the network names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.figures.parts import NEUTRAL, VALIDATION, Figure, plain_layout, with_alpha
from core.measure.confusion import matrix
from core.run.history import History
from core.text.escape import plain_html

NOTHING = "\u00a0"  # a text that was empty once stays so when Plotly updates a chart in place
MOST_NAMED = 30  # classes; of more the cells have no numbers and the axes no names


def confusion_matrix(labels: Sequence[int], answers: Sequence[int], classes: Sequence[str]) -> Figure:
    """`counted_matrix` of answers, one an image."""
    return counted_matrix(matrix(labels, answers, len(classes)), classes)


def latest_matrix(history: History, run_id: str) -> Figure:
    """`counted_matrix` of a run's last epoch, which has one."""
    assert history.started is not None
    figure = counted_matrix(history.epochs[-1]["confusion"], history.started["classes"])
    figure["layout"]["uirevision"] = run_id
    return figure


def has_matrix(history: History) -> bool:
    """Whether the last epoch says which classes were taken for which."""
    found = history.epochs[-1].get("confusion") if history.epochs else None
    return bool(found) and len(found or ()) == len((history.started or {}).get("classes", ()))


def counted_matrix(
    counts: Sequence[Sequence[int]], classes: Sequence[str], colour: str = VALIDATION
) -> Figure:
    """A cell a pair of classes, the darker the more images were mistaken; each can be picked by its id, label
    and answer as ``3,5``. The diagonal, what is right, has no colour: it would outshine the rest.

    Args:
        counts: how many images of each class (a row) were named what (a column).
    """
    span = range(len(classes))
    wrong = [[None if i == j else counts[i][j] for j in span] for i in span]
    most = max([count for row in wrong for count in row if count], default=1)
    ramp = [[0, with_alpha(colour, 0.0)], [1, colour]]
    return _matrix({"z": wrong, "zmin": 0, "zmax": most, "colorscale": ramp}, counts, classes)


def matrix_difference(
    ours: Sequence[Sequence[int]],
    theirs: Sequence[Sequence[int]],
    classes: Sequence[str],
    colours: tuple[str, str],
) -> Figure:
    """How many images more the first network has in each cell than the second; below 0 it has fewer.

    Args:
        ours, theirs: as ``counts`` of `counted_matrix`, of the same images.
        colours: of the first network, whose colour a cell has where it has more, and of the second.
    """
    span = range(len(classes))
    apart = [[ours[i][j] - theirs[i][j] for j in span] for i in span]
    most = max((abs(each) for row in apart for each in row), default=0) or 1
    more, fewer = colours
    ramp = [[0, fewer], [0.5, with_alpha(fewer, 0.0)], [0.5, with_alpha(more, 0.0)], [1, more]]
    return _matrix({"z": apart, "zmin": -most, "zmax": most, "colorscale": ramp}, apart, classes, signed=True)


def _matrix(
    coloured: dict[str, Any], counts: Sequence[Sequence[int]], classes: Sequence[str], *, signed: bool = False
) -> Figure:
    """A cell a pair of classes with its count, coloured by the heatmap's values in ``coloured``."""
    span = range(len(classes))
    names = [plain_html(name) for name in classes]
    named = len(classes) <= MOST_NAMED
    cells = {
        "type": "heatmap",
        **coloured,
        "showscale": False,
        "hoverinfo": "skip",
        "xgap": 1,
        "ygap": 1,
    }
    places = [(i, j) for i in span for j in span]
    picked = {
        "type": "scatter",
        "mode": "markers+text" if named else "markers",
        "x": [j for _, j in places],
        "y": [i for i, _ in places],
        "ids": [f"{i},{j}" for i, j in places],
        "text": [_count(counts[i][j], signed) if counts[i][j] and named else NOTHING for i, j in places],
        "marker": {"size": 18, "symbol": "square", "opacity": 0, "color": NEUTRAL},
        "textfont": {"size": 12},
        "customdata": [[names[i], names[j], _count(counts[i][j], signed)] for i, j in places],
        "hovertemplate": "%{customdata[0]}, named %{customdata[1]}: %{customdata[2]} images<extra></extra>",
    }
    layout = plain_layout("") | {"hovermode": "closest", "showlegend": False}
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain", "automargin": True}
    ticks = {"tickvals": list(span), "ticktext": names} if named else {"showticklabels": False}
    layout["xaxis"] = {**axis, **ticks, "title": {"text": "what the network names"}}
    layout["yaxis"] = {
        **axis, **ticks, "title": {"text": "what it is"}, "autorange": "reversed", "scaleanchor": "x",
    }  # fmt: skip
    return {"data": [cells, picked], "layout": layout}


def _count(count: int, signed: bool) -> str:
    return f"{count:+d}".replace("-", "−") if signed and count else str(count)
