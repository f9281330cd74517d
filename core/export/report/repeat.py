"""How to train a run of a report again: commands, and the files that they want, within the page."""

from __future__ import annotations

from collections.abc import Iterator

from core.catalogues import completed
from core.export.names import versions_of
from core.export.report.markup import Markup, element, file_link, joined
from core.export.report.one import branch_in_words
from core.export.source import Source
from core.figures.epochs_csv import epochs_csv
from core.run.digest import digest
from core.run.errors import SpecError
from core.run.history import edits_json


def how_to_repeat(run: Source, name: str) -> Iterator[Markup]:
    """The commands for one run, what they give the same numbers on, and its digest."""
    stem, edited = run.stem, bool(run.history.edits)
    started = run.history.started or {}
    yield element("h3", name)
    command = f"python -m core run {stem}.json --out repeated"
    if edited:
        command = f"python -m core run {stem}.json --edits {stem}-changes.json --out repeated"
    if run.stored and run.stored.inputs.get("parent"):
        yield element("p", f"{branch_in_words(run)} Its settings alone do not repeat it.")
    yield element("pre", command)
    links = [file_link("Settings", f"{stem}.json", run.spec.to_json(indent=2))]
    if edited:
        links.append(file_link("Changes", f"{stem}-changes.json", edits_json(run.history)))
    table = epochs_csv((run.history, run.id, run.spec))
    links.append(file_link("Epochs", f"{stem}.csv", table, "text/csv"))
    yield element("p", "Save: ", joined(links, ", "), ".", class_="screen")
    by = ", ".join(f"{name} {said}" for name, said in versions_of(run).items())
    threads, device = started.get("threads"), started.get("device_name", "a device that was not kept")
    on = f"{device}, {threads} {'thread' if threads == 1 else 'threads'}" if threads else device
    yield element("p", f"Trained by {by or 'versions that were not kept'}, on {on}.")
    if run.spec.data.path is not None:
        yield element("p", "It was trained on a person's own images, which are not in this page.")
    yield element("p", "Digest of settings and changes: ", element("code", _digest(run)))


def _digest(run: Source) -> str:
    """As the store has it; of a folder's run the same is made of what lies there."""
    try:
        if run.stored is not None:
            return run.stored.digest_with(run.history.edits)
        return digest("train", completed(run.spec), edits=run.edits)
    except SpecError:
        return "not known"
