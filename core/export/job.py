"""Taking a run away as a kind of job, so that a page can ask for it: the web server loads no torch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.catalogue import look_up
from core.export.catalogue import EXPORTS, MOST_RUNS
from core.export.measured import rows
from core.export.source import Asked, open_sources
from core.export.write import as_one_file, written
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.inputs import checked_inputs
from core.run.spec import Part, RunSpec
from core.store.artefacts import Artefacts

MOST_TEXT = 4000  # letters of what a person writes

Written = Annotated[str, Field(max_length=MOST_TEXT)]


class Wanted(Part):
    """What a page asks for: which runs, as what; what a person has written for it; the page's link.

    ``versions`` are those of the runs' histories, so that a run that has gone on is written anew.
    """

    runs: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]], Field(max_length=MOST_RUNS)]
    versions: list[Annotated[int, Field(ge=0)]] = Field(max_length=MOST_RUNS)
    kind: Annotated[str, Field(max_length=40)]
    text: Annotated[dict[Annotated[str, Field(max_length=40)], Written], Field(max_length=8)] = Field(
        default_factory=dict
    )
    link: Annotated[str, Field(max_length=2000)] = ""


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Write the file, keep it as an artefact, and tell of it. ``spec`` is the first run's, and not read."""
    wanted = checked_inputs(Wanted, inputs)
    entry = look_up(EXPORTS, wanted.kind, "inputs.kind", "kind of export")
    yield state("running")
    yield {"event": "progress", "done": 0, "of": 1, "what": f"Writing {entry.file}"}
    control.check()
    if not wanted.runs:
        raise SpecError("inputs.runs", "no run is given.")
    asked = Asked(open_sources(wanted.runs), wanted.text, wanted.link)
    with tempfile.TemporaryDirectory(prefix="augury-export-") as made:
        folder = Path(made) / "files"
        folder.mkdir()
        files = written(entry, asked, folder)
        for row in rows(folder):
            yield {"event": "row", **row}
        control.check()
        single = len(files) == 1
        whole = Path(made) / "whole"
        as_one_file(files, folder, whole)
        suffix = "".join(Path(entry.file).suffixes) if single else ".zip"
        name = f"{asked.run.stem}-{entry.name}{suffix}"
        digest = Artefacts().put(whole)
        yield {
            "event": "artefact",
            "name": name,
            "digest": digest,
            "media_type": entry.media_type if single else "application/zip",
            "bytes": whole.stat().st_size,
        }
    yield state("finished")
