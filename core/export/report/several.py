"""The parts of a report that tell of several runs beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.export.names import short_id
from core.export.report.markup import Markup, element, joined, small, table
from core.export.report.one import as_compared, branch_in_words, remarks_on
from core.export.source import Source
from core.text import compare
from core.text.describe import budget, in_words
from core.text.seeds import with_split
from core.text.shares import counted, gap, percent
from core.text.side_by_side import differing


def settings(runs: Sequence[Source], names: Sequence[str]) -> Iterator[Markup]:
    """Each run in a line, and a table of what is not alike in all."""
    rows = [
        (f"{i}", joined([name, small(f"{in_words(run.spec)} · {budget(run.spec)} · {with_split(run.spec)}")]))
        for i, (run, name) in enumerate(zip(runs, names, strict=True), 1)
    ]
    yield table(("Run", "What it is"), rows)
    for run, name in zip(runs, names, strict=True):
        if run.stored and run.stored.inputs.get("parent"):
            yield element("p", f"{name}: {branch_in_words(run)}")
        if run.stored and run.stored.note.strip():
            yield element("p", f"Note on {name}: {run.stored.note}")
    yield element("h3", "What differs")
    found = differing([run.spec for run in runs])
    if not found:
        yield element("p", "Nothing: these runs have the same settings and the same seed.")
        return
    head = ("Setting", *map(str, range(1, len(runs) + 1)))
    yield element("div", table(head, ([label, *said] for label, said in found)), class_="wide")
    if any(run.history.edits for run in runs):
        yield element("p", small("As the runs began; some were changed while they ran."))


def results(runs: Sequence[Source], names: Sequence[str]) -> Iterator[Markup]:
    """What each came to, with its n and interval; then each beside the first, and what that is worth."""
    results = [run.history.result for run in runs]
    shares = [result["validation_accuracy"] if result else -1.0 for result in results]
    rows = [_row(run, f"{i}", name, shares) for i, (run, name) in enumerate(zip(runs, names, strict=True), 1)]
    head = (
        "Run",
        "Validation accuracy",
        "Gap, points",
        "Validation loss",
        "Exact zeros",
        "Epochs",
        "Training",
    )
    yield element("div", table(head, rows), class_="wide")
    yield element("p", small("Of an accuracy the interval is Wilson's, of a gap Newcombe's; both at 95 %."))
    yield from _beside(runs, names)
    for run, name in zip(runs, names, strict=True):
        if remarks := list(remarks_on(run)):
            yield element("h3", f"On {name}")
            yield element("ul", *(element("li", each) for each in remarks))


def sparsity(runs: Sequence[Source], names: Sequence[str]) -> Markup:
    """A row a layer of any of the runs: how many of its weights are exactly 0.0, and of how many."""
    measured = [run.history.result["sparsity"] if run.history.result else None for run in runs]
    layers = dict.fromkeys(name for each in measured if each for name in each["layers"])
    rows = [[layer, *(_zeros(each and each["layers"].get(layer)) for each in measured)] for layer in layers]
    rows.append(["whole network", *map(_zeros, measured)])
    head = ["Exact zeros"] if len(runs) == 1 else [str(i) for i, _ in enumerate(names, 1)]
    return element("div", table(("Layer", *head), rows), class_="wide")


def _row(run: Source, number: str, name: str, shares: Sequence[float]) -> list[str]:
    history, result = run.history, run.history.result
    seconds = sum(each.get("seconds") or 0.0 for each in history.epochs)
    called = joined([f"{number}. {name}", small(f"run {short_id(run)}")])
    if result is None:
        return [called, "no epoch has ended", *[""] * 5]
    share, images, of = result["validation_accuracy"], history.validation_images, result.get("clean_images")
    best = share == max(shares) and shares.count(share) == 1
    said = [element("strong", percent(share)) if best else percent(share), " · highest" if best else ""]
    said.append(small(counted(share, images) if images else "of how many was not kept"))
    apart = gap(result["clean_accuracy"], of, share, images) if of and images else ("", "")
    return [
        called,
        joined(said),
        joined([apart[0], small(apart[1])]) if apart[0] else "",
        f"{result['validation_loss']:.3f}",
        _zeros(result["sparsity"]),
        f"{len(history.epochs)} of {history.total_epochs}",
        f"{seconds:,.{0 if seconds >= 10 else 1}f} s",
    ]


def _zeros(sparsity: dict[str, float] | None) -> str:
    if not sparsity:
        return "–"
    return joined([percent(sparsity["exact"]), small(f"of {sparsity['weights']:,}")])


def _beside(runs: Sequence[Source], names: Sequence[str]) -> Iterator[Markup]:
    """Each run beside the first. One that was changed or cut is not what its settings say: of it only the
    table tells."""
    first, *others = (
        None if run.history.edits else as_compared(run, name) for run, name in zip(runs, names, strict=True)
    )
    for other in others:
        if first and other and compare.on_same_data(other.spec, first.spec):
            said = compare.beside(other, first)
            strong = element("strong", f"{other.title}. {said.sentence}")
            yield element("p", strong, " ", small(f"{said.how} {said.next_step}"))
