"""What is not a curve: bars of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.figures.parts import Figure, layer_colours, plain_layout


def parameters_by_layer(rows: Mapping[str, Sequence[tuple[str, str, int]]]) -> Figure:
    """One bar a network, cut into its layers: where it keeps its parameters.

    Args:
        rows: by the network's name, of each layer its name, its kind and how many parameters it has.
    """
    traces = []
    for network, layers in reversed(list(rows.items())):
        shown = [layer for layer in layers if layer[2]]
        for (name, kind, parameters), colour in zip(shown, layer_colours(len(shown)), strict=True):
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": name,
                    "y": [network],
                    "x": [parameters],
                    "marker": {"color": colour},
                    "hovertemplate": f"{name}, {kind}: %{{x:,}} parameters<extra></extra>",
                }
            )
    layout = plain_layout("") | {"barmode": "stack", "showlegend": False, "hovermode": "closest"}
    layout["xaxis"] |= {"title": {"text": "parameters"}}
    layout["yaxis"] |= {"automargin": True}
    return {"data": traces, "layout": layout}


def layers_in_a_bar(layers: Sequence[tuple[str, str, int]]) -> Figure:
    """The same of one network, without axes, each layer's name in its part of the bar."""
    figure = parameters_by_layer({"": layers})
    for trace in figure["data"]:
        trace |= {"text": [trace["name"]], "textposition": "inside", "insidetextanchor": "middle"}
    figure["layout"] |= {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "uniformtext": {"minsize": 12, "mode": "hide"},
    }
    figure["layout"]["xaxis"] |= {"visible": False}
    figure["layout"]["yaxis"] |= {"visible": False}
    return figure
