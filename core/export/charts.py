"""Every chart of a run, or of several over each other, with its title, and a caption that gives its n."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from core.export.names import origin
from core.export.source import Source
from core.figures.confusion import has_matrix, latest_matrix
from core.figures.flow import gradient_norms, has_flow, update_ratios
from core.figures.lineage import ancestor, with_ancestor
from core.figures.marks import MOST, with_marks
from core.figures.measures import measure, measured
from core.figures.overlay import MEASURES as CURVES
from core.figures.overlay import Curves, overlay
from core.figures.parts import Figure
from core.figures.sparsity import (
    groups_in_words,
    has_groups,
    sparsity_by_layer,
    sparsity_map,
    weights_by_layer,
    zero_groups,
)
from core.figures.svg import HEIGHT, WIDTH, svg
from core.figures.training import accuracy, loss
from core.figures.weights import has_histograms, weight_ridge
from core.measure.catalogue import MEASURES
from core.run.errors import SpecError
from core.run.events import Event
from core.run.history import History
from core.text.edits import edit_in_words, when_in_words
from core.text.seeds import called

MOST_TOLD = 3  # changes that a caption tells of
ROW, TALL = 34, 520  # pixels: of a layer in a map, and of what is as high as wide


class Chart(NamedTuple):
    """A chart: the name of its file, what stands above it and beneath it, and how high it is."""

    name: str
    title: str
    figure: Figure
    caption: str
    height: int = HEIGHT

    def svg(self, key: str = "") -> str:
        """As a picture that stands alone; its ids begin with ``key`` and its name."""
        told = {"title": self.title, "caption": self.caption}
        return svg(self.figure, **told, width=WIDTH, height=self.height, key=f"{key}{self.name}")


def charts(runs: Sequence[Source]) -> list[Chart]:
    """All charts that there are of one run, or of several over each other; ``accuracy`` is the first.

    Raises:
        SpecError: no epoch of them has ended.
    """
    if not any(run.history.epochs for run in runs):
        raise SpecError("RUN", "No epoch of it has ended, so there is no chart yet; train it for longer.")
    return list(_of_one(runs[0]) if len(runs) == 1 else _of_several(runs))


def _of_one(run: Source) -> Iterator[Chart]:
    history, last = run.history, run.history.epochs[-1]
    images, weights, from_run = _images(history), _weights(history), origin(run)
    changes, parent = _changes(run), ancestor(history, run.before)

    def chart(name: str, title: str, draw: Callable[..., Figure], n: str, *more: Any, **size: int) -> Chart:
        figure = with_ancestor(draw(history, run.id, *more), parent, draw.__name__)
        grey = "Grey: the run that it branches from." if parent and draw in (accuracy, loss) else ""
        told = " ".join(filter(None, [n, grey, changes, from_run]))
        return Chart(name, title, with_marks(figure, _marks(run)), told, **size)

    yield chart("accuracy", "Accuracy", accuracy, images)
    yield chart(
        "loss", "Loss", loss, f"{images} Cross-entropy with the natural logarithm; 0 is certain and correct."
    )
    yield chart("sparsity", "Exact zeros by layer", sparsity_by_layer, weights)
    rows = 150 + ROW * (len(last["sparsity"]["layers"]) + 1)
    yield chart("sparsity-map", "Exact zeros, epoch by epoch", sparsity_map, weights, height=rows)
    n = f"{weights} After epoch {last['epoch']}."
    yield chart("weights-by-layer", "Weights by layer, zeros apart", weights_by_layer, n, height=rows)
    if has_groups(history):
        n = f"n after epoch {last['epoch']}: {groups_in_words(last)} are zero."
        yield chart("zero-groups", "Filters, neurons and heads that are zero", zero_groups, n)
    if has_flow(history):
        n = f"n: the last batch of each epoch, {_batch(run)} at most."
        yield chart("gradients", "Gradients by layer", gradient_norms, n)
        yield chart("updates", "Update of the weights by layer, against their size", update_ratios, n)
    if has_histograms(history):
        yield chart("weights", "Size of the weights, epoch by epoch", weight_ridge, weights, height=TALL)
    if has_matrix(history):
        n = f"n: {sum(map(sum, last['confusion'])):,} validation images, after epoch {last['epoch']}."
        yield chart("confusion", "Which classes are taken for which", latest_matrix, n, height=TALL)
    for name in measured(history):
        entry = MEASURES[name]
        n = f"{images} {weights}" if name == "prunable" else weights
        yield chart(f"measure-{name}", entry.title, measure, n, name)


def _of_several(runs: Sequence[Source]) -> Iterator[Chart]:
    names = called([run.spec for run in runs])
    curves = [Curves(name, run.history.epochs) for name, run in zip(names, runs, strict=True)]
    from_runs = " ".join(map(origin, runs))
    for name, of in CURVES.items():
        values = [of.value(epoch) for run in runs for epoch in run.history.epochs]
        if not any(value is not None for value in values) or (name == "zeros" and not any(values)):
            continue
        figure = overlay(curves, name)
        figure["layout"]["showlegend"] = True
        title = of.label.partition(" (")[0]
        yield Chart(
            name, f"{title[0].upper()}{title[1:]}", figure, f"{_each_n(runs, names, name)} {from_runs}"
        )


def _each_n(runs: Sequence[Source], names: Sequence[str], of: str) -> str:
    """How many images or weights a curve of each run is of; said once, if they are alike."""
    counts, what = (
        [],
        "weights" if of == "zeros" else "training images" if of == "clean" else "validation images",
    )
    for run in runs:
        last: Any = run.history.epochs[-1] if run.history.epochs else {}
        if of == "zeros":
            counts.append(last.get("sparsity", {}).get("weights"))
        else:
            counts.append(last.get("clean_images") if of == "clean" else run.history.validation_images)
    said = [f"{count:,}" if count else "not kept" for count in counts]
    if len(set(said)) == 1:
        return f"n: {said[0]} {what} in each run."
    return f"n, {what}: {'; '.join(f'{name} {count}' for name, count in zip(names, said, strict=True))}."


def _images(history: History) -> str:
    """E.g. ``n: 1,000 validation images; clean train is of 400 of 4,000 training images.``"""
    started = history.started or {}
    of, all_of = (
        max((e.get("clean_images") or 0 for e in history.epochs), default=0),
        started.get("train_images"),
    )
    clean = f"; clean train is of {of:,} of {all_of:,} training images" if of and all_of else ""
    n = history.validation_images
    return f"n: {n:,} validation images{clean}." if n else "n: how many images was not kept."


def _weights(history: History) -> str:
    sparsity = history.epochs[-1]["sparsity"]
    layers = len(sparsity["layers"])
    return (
        f"n: {sparsity['weights']:,} weights in {layers} {'layer' if layers == 1 else 'layers'}; "
        "biases and norm layers are left out."
    )


def _batch(run: Source) -> str:
    return f"{run.spec.train.batch_size:,} images"


def _marks(run: Source) -> list[tuple[float, str]]:
    return [(float(e["epoch"]), _said(e, run)) for e in run.history.edits if "epoch" in e]


def _changes(run: Source) -> str:
    """What was changed where a chart has a flag."""
    edits = run.history.edits[-MOST:]
    if not edits:
        return ""
    told = [f"{_said(each, run)} {when_in_words(each)}" for each in edits[:MOST_TOLD]]
    more = f"; and {len(edits) - MOST_TOLD} more" if len(edits) > MOST_TOLD else ""
    return f"Changed at ▼: {'; '.join(told)}{more}."


def _said(edit: Event, run: Source) -> str:
    try:
        return edit_in_words(edit, run.spec)
    except SpecError:  # of another version
        return "another value"
