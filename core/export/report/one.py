"""The parts of a report that tell of one run."""

from __future__ import annotations

from collections.abc import Iterator

from core.export.report.markup import Markup, element, joined, small, table
from core.export.source import Source
from core.figures.sparsity import groups_in_words
from core.run.edits import applied
from core.run.spec import RunSpec
from core.text import compare
from core.text.advice import advise
from core.text.describe import (
    architecture_in_words,
    augmentation_in_words,
    budget,
    data_in_words,
    regulariser_in_words,
    title,
)
from core.text.edits import edit_in_words, when_in_words
from core.text.run_figures import figures, harder_while_learning, resumed_in_words
from core.text.seeds import with_split


def settings(run: Source) -> Iterator[Markup]:
    """In words, part by part, and what its owner noted of it."""
    rows = list(settings_rows(run.spec))
    yield table(("Part", "Choice"), rows)
    if run.start is not None or (run.stored and run.stored.inputs.get("parent")):
        yield element("p", branch_in_words(run))
    if run.stored and run.stored.note.strip():
        yield element("p", f"Note: {run.stored.note}")


def settings_rows(spec: RunSpec) -> Iterator[tuple[str, str]]:
    """What is chosen, and how a person calls it."""
    yield "Images", data_in_words(spec.data)
    yield "Augmentation", augmentation_in_words(spec.augment) or "none"
    yield "Network", architecture_in_words(spec)
    yield "Regularisers", ", ".join(map(regulariser_in_words, spec.regularisers)) or "none"
    yield "Budget", budget(spec)
    yield "Seed", with_split(spec).removeprefix("seed ")


def branch_in_words(run: Source) -> str:
    """Of a run that went on from a checkpoint of another: of which, and where."""
    inputs = run.stored.inputs if run.stored else {}
    parent, step = str(inputs.get("parent", "")), inputs.get("step")
    of = f"run {parent[:8]}" if parent else "another run"
    return f"A branch: it goes on from {of}{f' after step {step:,}' if isinstance(step, int) else ''}."


def changes(run: Source) -> Markup:
    """Each change while it trained: when, and from what to what."""
    rows = [(when_in_words(each), edit_in_words(each, run.spec)) for each in run.history.edits]
    return element("div", table(("When", "Change"), rows), class_="wide")


def results(run: Source) -> Iterator[Markup]:
    """The figures of the epoch that stands for the run, and what one must know to read them."""
    history, result = run.history, run.history.result
    if (judged := as_compared(run)) is not None:
        yield element("p", element("strong", compare.alone(judged).sentence))
    rows = [
        (each.label, joined([each.value or "–", small(each.sure)] if each.sure else [each.value or "–"]))
        for each in figures(result, history.started)
    ]
    yield table(("Figure", f"After epoch {result['epoch']}" if result else "No epoch has ended"), rows)
    if result and (groups := groups_in_words(result)):
        yield element("p", f"Wholly zero: {groups}.")
    remarks = list(remarks_on(run))
    if remarks:
        yield element("ul", *(element("li", each) for each in remarks))


def remarks_on(run: Source) -> Iterator[str]:
    """How it ended, if not as planned, and every note and warning that its page shows."""
    history, result = run.history, run.history.result
    started, finished = history.started or {}, history.finished or {}
    if history.state != "finished":
        done = f"{len(history.epochs)} of {history.total_epochs} epochs"
        yield f"This run has not finished: its state is “{history.state}”, after {done}."
    if history.reason:
        yield history.reason
    if result and history.is_chosen:
        yield (
            f"The figures are those of epoch {result['epoch']}, whose weights are saved. It was chosen on "
            "the same validation images, so they flatter it a little."
        )
    notes = started.get("notes", ())
    yield from filter(None, [resumed_in_words(history.resumed, notes)])
    yield from map(str, (*notes, *finished.get("warnings", ())))
    if result:
        spec = applied(run.spec, run.edits)
        yield from filter(None, [advise(result, spec), harder_while_learning(result, spec)])


def as_compared(run: Source, name: str = "") -> compare.Run | None:
    """The run as `core.text.compare` wants it, by this name or else its own; None, if it has not come to its
    end."""
    result, images = run.history.result, run.history.validation_images
    if run.history.state != "finished" or result is None or images is None:
        return None
    return compare.Run(run.spec, name or title(run.spec), result, images)
