"""Where a network is sparse, epoch by epoch: weights, and whole filters, neurons and heads."""

from __future__ import annotations

from core.figures.parts import (
    MOST_EPOCHS,
    NEUTRAL,
    SPARSITY,
    Figure,
    layer_colours,
    line,
    name_at_ends,
    over_epochs,
    plain_layout,
    share_of,
    with_alpha,
)
from core.figures.strengths import add_strengths
from core.measure.near import NEAR
from core.models.catalogue import ARCHITECTURES
from core.run.events import Event
from core.run.history import History, evenly
from core.text.escape import plain_html

WHOLE = "whole network"
MOST_NAMED = 6  # layers whose lines are named where they end


def sparsity_by_layer(history: History, run_id: str) -> Figure:
    """Exact zeros in per cent against epochs: the whole network bold, each layer thin; beneath them each λ.
    Weights near zero are dotted."""
    epochs = [event["epoch"] for event in history.epochs]
    measured = [event["sparsity"] for event in history.epochs]
    layers = list(measured[0]["layers"]) if measured else []
    traces = []
    for layer, colour in zip(layers, layer_colours(len(layers)), strict=True):
        shares = [100 * each["layers"][layer]["exact"] for each in measured]
        said = share_of(measured[-1]["layers"][layer]["weights"])
        traces.append(line(layer, epochs, shares, colour, width=1.5, hovertemplate=said))
    near = [100 * each["near"] for each in measured]
    exact = [100 * each["exact"] for each in measured]
    said = share_of(measured[-1]["weights"] if measured else None)
    traces.append(line(f"|w| < {NEAR:g}", epochs, near, SPARSITY, dash="dot", hovertemplate=said))
    traces.append(line("whole", epochs, exact, SPARSITY, width=4, markers=True, hovertemplate=said))
    figure = over_epochs([*traces], history, run_id, "exact zeros (%)")
    figure["layout"]["yaxis"] |= {"range": [-3, 103]}
    add_strengths(figure, history)
    if measured and len(layers) <= MOST_NAMED:
        name_at_ends(figure, traces, -3, 103)
    return figure


def sparsity_map(history: History, run_id: str) -> Figure:
    """The same as a map: a row a layer, a column an epoch, the darker the more exact zeros."""
    shown = evenly(history.epochs, MOST_EPOCHS)
    measured = [event["sparsity"] for event in shown]
    layers = list(measured[0]["layers"]) if measured else []
    rows = [[100 * each["layers"][layer]["exact"] for each in measured] for layer in layers]
    rows.append([100 * each["exact"] for each in measured])
    names = [*map(plain_html, layers), WHOLE]
    counts = [each["weights"] for last in measured[-1:] for each in (*last["layers"].values(), last)]
    now = [f"{name}  {row[-1]:.0f} %" if row else name for name, row in zip(names, rows, strict=True)]
    trace = {
        "type": "heatmap",
        "x": [event["epoch"] for event in shown],
        "y": list(range(len(names))),
        "z": rows,
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, with_alpha(SPARSITY, 0.05)], [1, SPARSITY]],
        "colorbar": {"title": {"text": "%"}, "thickness": 8, "outlinewidth": 0, "tickvals": [0, 50, 100]},
        "ygap": 2,
        "text": [[name] * len(shown) for name in names],
        "customdata": [[f"{count:,}"] * len(shown) for count in counts],
        "hovertemplate": "%{text}, epoch %{x}: %{z:.1f} % of %{customdata} weights are 0<extra></extra>",
    }
    figure = over_epochs([trace], history, run_id, "")
    layout = figure["layout"]
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {"range": [0.5, layout["xaxis"]["range"][1] + 0.5], "showgrid": False}
    layout["yaxis"] |= {
        "tickvals": list(range(len(names))),
        "ticktext": now,
        "autorange": "reversed",
        "automargin": True,
        "showgrid": False,
    }
    return figure


def has_groups(history: History) -> bool:
    """Whether the run says how many of its filters, neurons or heads are zero."""
    return bool(history.epochs and history.epochs[-1]["sparsity"].get("groups"))


def weights_by_layer(history: History, run_id: str) -> Figure:
    """A bar a layer after the last epoch: how many of its weights are exactly 0, and how many are not. A
    layer of few weights hardly counts, however sparse."""
    layers = history.epochs[-1]["sparsity"]["layers"] if history.epochs else {}
    names = list(map(plain_html, layers))
    zeros = [round(each["exact"] * each["weights"]) for each in layers.values()]
    others = [each["weights"] - zero for each, zero in zip(layers.values(), zeros, strict=True)]
    said = [f"{zero:,} of {zero + other:,} are 0" for zero, other in zip(zeros, others, strict=True)]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": counts,
            "marker": {"color": colour},
            "customdata": said,
            "hovertemplate": "%{y}: %{customdata}<extra></extra>",
        }
        for name, counts, colour in (("not zero", others, NEUTRAL), ("exactly 0", zeros, SPARSITY))
    ]
    layout = plain_layout("") | {"barmode": "stack", "hovermode": "closest", "uirevision": run_id}
    layout["xaxis"] |= {"title": {"text": "weights"}}
    layout["yaxis"] |= {"automargin": True, "autorange": "reversed"}
    return {"data": traces, "layout": layout}


def zero_groups(history: History, run_id: str) -> Figure:
    """Filters, neurons and heads that are exactly zero, in per cent of their kind in each layer."""
    measured = [event for event in history.epochs if event["sparsity"].get("groups")]
    epochs = [event["epoch"] for event in measured]
    traces = []
    layers = measured[-1]["sparsity"]["layers"] if measured else {}
    places = [(name, kind) for name, layer in layers.items() for kind in layer.get("groups", {})]
    for (name, kind), colour in zip(places, layer_colours(len(places)), strict=True):
        counts = [event["sparsity"]["layers"][name]["groups"][kind] for event in measured]
        traces.append(
            line(
                f"{name}, {kind}",
                epochs,
                [100 * count["zero"] / max(count["all"], 1) for count in counts],
                colour,
                markers=True,
                customdata=[[count["zero"], count["all"]] for count in counts],
                hovertemplate="%{customdata[0]:,} of %{customdata[1]:,}",
            )
        )
    figure = over_epochs(traces, history, run_id, "zero (% of its kind)")
    figure["layout"]["yaxis"] |= {"range": [-3, 103]}
    return figure


def removable(event: Event, arch: str) -> str:
    """Which of the groups that are zero could be taken out of a network of ``arch``, e.g. ``filters and
    neurons``; empty if none could, or if a layer is wholly zero, for then it is no network any more."""
    if any(layer["exact"] == 1 for layer in event["sparsity"]["layers"].values()):
        return ""
    groups = event["sparsity"].get("groups", {})
    families = ARCHITECTURES[arch].removable if arch in ARCHITECTURES else ()
    kinds = [kind for kind in families if groups.get(kind, {"zero": 0})["zero"]]
    return " and ".join(kinds)


def zero_groups_elsewhere(event: Event, layer: str) -> str:
    """What is wholly zero in the layers but ``layer``, e.g. ``41 of 64 filters of conv2 are gone``; empty if
    nothing is."""
    gone = [
        f"{count['zero']:,} of {count['all']:,} {kind} of {name}"
        for name, each in event["sparsity"]["layers"].items()
        for kind, count in each.get("groups", {}).items()
        if name != layer and count["zero"]
    ]
    return f"{', '.join(gone)} are gone" if gone else ""


def groups_in_words(event: Event) -> str:
    """E.g. ``12 of 224 filters, 0 of 522 neurons``."""
    groups = event["sparsity"].get("groups", {})
    return ", ".join(f"{count['zero']:,} of {count['all']:,} {kind}" for kind, count in groups.items())
