"""A search as it climbs: rungs from left to right, a dot a setting, and a line where it was promoted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from core.figures.overlay import colour_of
from core.figures.parts import NEUTRAL, VALIDATION, plain_layout
from core.figures.probes import Chart

FAINT = 0.35
LEAST = 0.05  # per cent: a logarithm has no 0
TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]


def chart(result: Mapping[str, Any]) -> Chart | None:
    """The settings so far; None: there is nothing to draw."""
    rungs: Sequence[Mapping[str, Any]] = result.get("rungs", ()) if result else ()
    if not rungs:
        return None
    by_setting: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rungs:
        by_setting[row["setting"]].append(row)
    winner = (result.get("winner") or {}).get("setting") if result.get("complete") else None
    brackets = len({name.partition(".")[0] for name in by_setting})
    traces = []
    for name, rows in sorted(by_setting.items(), key=lambda pair: (pair[0] == winner, len(pair[1]))):
        bracket = int(name.partition(".")[0])
        colour = VALIDATION if name == winner else colour_of(bracket) if brackets > 1 else "#0072B2"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"setting {name}",
                "showlegend": False,
                "x": [row["epochs"] for row in rows],
                "y": [max(LEAST, 100 * (1 - row["accuracy"])) for row in rows],
                "opacity": 1.0 if name == winner or len(rows) > 1 else FAINT,
                "line": {"color": colour, "width": 3 if name == winner else 1.2},
                "marker": {"color": colour, "size": 13 if name == winner else 8,
                           "symbol": "star" if name == winner else "circle"},
                "ids": [row["run"] for row in rows],
                "customdata": [row["values"] for row in rows],
                "hovertemplate": "%{y:.1f} % wrong after %{x}: %{customdata}<extra>%{fullData.name}</extra>",
            }
        )  # fmt: skip
    columns = sorted({row["epochs"] for row in rungs} | set(result.get("epochs_planned", ())))
    layout = plain_layout("wrong answers (%)")
    layout["yaxis"] |= {
        "type": "log",
        "autorange": "reversed",
        "tickvals": TICKS,
        "ticktext": [f"{each:g}" for each in TICKS],
    }
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"type": "log", "title": {"text": "epochs trained"}, "tickvals": columns,
                        "ticktext": [f"{each:g}" for each in columns]}  # fmt: skip
    layout["shapes"] = [
        {"type": "line", "x0": each, "x1": each, "yref": "paper", "y0": 0, "y1": 1,
         "line": {"color": NEUTRAL, "width": 1, "dash": "dot"}, "layer": "below", "opacity": 0.6}
        for each in columns
    ]  # fmt: skip
    counts = ", ".join(f"{sum(row['epochs'] == each for row in rungs)} at {each} epochs" for each in columns)
    won = f" The winner is setting {winner}." if winner else ""
    return Chart(
        {"data": traces, "layout": layout},
        f"Wrong answers of settings by the epochs they were trained: {counts}.{won}",
    )
