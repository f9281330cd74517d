"""The confusion matrix as a figure: rows are what images are, columns what the network names."""

from __future__ import annotations

from collections.abc import Sequence

from core.figures.parts import NEUTRAL, VALIDATION, Figure, plain_layout, with_alpha
from core.measure.confusion import matrix
from core.text.escape import plain_html

MOST_NAMED = 30  # classes; of more the cells have no numbers and the axes no names


def confusion_matrix(labels: Sequence[int], answers: Sequence[int], classes: Sequence[str]) -> Figure:
    """A cell a pair of classes, the darker the more images were mistaken; each can be picked by its id, label
    and answer as ``3,5``. The diagonal, what is right, has no colour: it would outshine the rest."""
    counts = matrix(labels, answers, len(classes))
    span = range(len(classes))
    names = [plain_html(name) for name in classes]
    wrong = [[None if i == j else counts[i][j] for j in span] for i in span]
    most = max([count for row in wrong for count in row if count], default=1)
    named = len(classes) <= MOST_NAMED
    cells = {
        "type": "heatmap",
        "z": wrong,
        "zmin": 0,
        "zmax": most,
        "colorscale": [[0, with_alpha(VALIDATION, 0.0)], [1, VALIDATION]],
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
        "text": [str(counts[i][j]) if counts[i][j] and named else "" for i, j in places],
        "marker": {"size": 18, "symbol": "square", "opacity": 0, "color": NEUTRAL},
        "textfont": {"size": 12},
        "customdata": [[names[i], names[j], counts[i][j]] for i, j in places],
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
