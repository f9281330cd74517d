"""Runs as an archive. The same runs give the same bytes."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from core.catalogues import completed, versions
from core.export.archive.events import KINDS, as_line, strip_png
from core.export.archive.form import (
    EDITS,
    EVENTS,
    FORMAT,
    MANIFEST,
    MAX_EVENTS_BYTES,
    PAGE,
    SEAL,
    SPEC,
    VERSION,
    WEIGHTS,
    FileEntry,
    Inputs,
    Manifest,
    RunEntry,
    edits_text,
    place,
    seal_of,
    strip_place,
)
from core.export.archive.page import Shown, page
from core.export.archive.read import read_archive
from core.export.charts import charts
from core.export.source import SPEC as SPEC_FILE
from core.export.source import Source
from core.export.write import EPOCH_OF_ZIPS
from core.run.errors import SpecError
from core.run.events import TERMINAL
from core.run.kinds import TRAIN, TRANSFORM, is_run
from core.run.spec import DataSpec, RunSpec, is_upload, parse
from core.store.store import is_run_id

Content = bytes | Path
CHUNK = 1 << 20  # bytes
SHOWN = ("accuracy", "loss", "sparsity")  # charts of the page


def write_archive(runs: Sequence[Source], path: Path) -> None:
    """Write runs that have ended, and read the file back: what is written can be imported.

    Raises:
        SpecError: a run has not ended, or can't be archived; the sentence says why.
    """
    files: dict[str, Content] = {}
    entries, shown = [], []
    groups = Counter(run.stored.group for run in runs if run.stored and run.stored.group)
    shared = [group for group, count in groups.items() if count > 1]
    for i, run in enumerate(runs, 1):
        _check(run)
        spec = _spec(run)
        events = [as_line(event) for event in run.events if event["event"] in KINDS]
        if sum(map(len, events)) + len(events) > MAX_EVENTS_BYTES:
            raise SpecError("RUN", f"The run {run.id[:8]} has told too much to be archived; take its tables.")
        files[place(i, SPEC)] = (spec.to_json(indent=2) + "\n").encode()
        files[place(i, EDITS)] = edits_text(run.edits).encode()
        files[place(i, EVENTS)] = "".join(f"{line}\n" for line in events).encode()
        if run.weights is not None:
            files[place(i, WEIGHTS)] = run.weights
        strip = (run.history.started or {}).get("strip")
        if strip is not None:
            files[strip_place(i)] = strip_png(strip)
        try:
            entries.append(_entry(run, spec, events, shared))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            why = f"{first['loc'][0]}: {first['msg']}"
            raise SpecError("RUN", f"The run {run.id[:8]} can't be archived ({why}).") from None
        told = entries[-1]
        picture = files.get(strip_place(i))
        assert not isinstance(picture, Path)
        shown.append(
            Shown(
                id=told.id,
                spec=completed(spec),
                history=run.history,
                state=told.state,
                reason=told.reason,
                created_at=told.created_at,
                note=told.note,
                tags=told.tags,
                charts=[each for each in charts([run]) if each.name in SHOWN] if run.history.epochs else [],
                strip=picture,
            )
        )
    files[PAGE] = page(shown).encode()
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        versions=versions(),
        runs=tuple(entries),
        files={name: _measured(files[name]) for name in sorted(files)},
    )
    content = manifest.to_json().encode()
    _zip({MANIFEST: content, SEAL: seal_of(content), **{name: files[name] for name in sorted(files)}}, path)
    try:
        with read_archive(path):
            pass
    except SpecError as error:
        raise SpecError("RUN", f"It can't be archived so that it could be imported: {error.what}") from None


def _check(run: Source) -> None:
    if run.stored is not None and not is_run(run.stored.kind):
        raise SpecError("RUN", f"{run.id[:8]} is no run that trains; only those are archived.")
    state = run.stored.state if run.stored else run.history.state
    if state not in TERMINAL:
        raise SpecError("RUN", f"The run {run.id[:8]} has not ended; stop it, or wait for its end.")


def _spec(run: Source) -> RunSpec:
    """As the run began, and not as this version would complete it. A folder of this machine is named by a
    digest alone: nobody else has it, or need know what it is called."""
    spec = run.stored.spec if run.stored else parse((run.folder / SPEC_FILE).read_bytes())
    path = spec.data.path
    if path is None or is_upload(path):
        return spec
    hidden = f"upload:{hashlib.sha256(path.encode()).hexdigest()}"
    data = DataSpec(**{**spec.data.model_dump(), "path": hidden})
    return spec.model_copy(update={"data": data})


def _entry(run: Source, spec: RunSpec, events: Sequence[str], shared: Sequence[str]) -> RunEntry:
    """What the manifest says of the run. One from a folder has no times of its own but its first file's."""
    stored, history = run.stored, run.history
    made = run.made
    inputs = json.dumps(dict(stored.inputs) if stored else made.inputs() if made else {})
    return RunEntry(
        id=_id_of(run, spec, events),
        kind=stored.kind if stored else _kind(run),  # type: ignore[arg-type]
        name=spec.name,
        seed=spec.seed,
        state=stored.state if stored else history.state,
        reason=stored.reason if stored and not history.ended else history.reason,
        created_at=stored.created_at if stored else (run.folder / SPEC_FILE).stat().st_mtime,
        started_at=stored.started_at if stored else None,
        finished_at=stored.finished_at if stored else None,
        note=stored.note if stored else "",
        tags=stored.tags if stored else (),
        parents=tuple(stored.parents) if stored else (),
        inputs=Inputs.model_validate_json(inputs),
        group=shared.index(stored.group) + 1 if stored and stored.group in shared else None,
    )


def _kind(run: Source) -> str:
    """One whose only epoch is 0 was not trained."""
    return TRANSFORM if [each["epoch"] for each in run.history.epochs] == [0] else TRAIN


def _id_of(run: Source, spec: RunSpec, events: Sequence[str]) -> str:
    """Of a run that has none, because the command line trained it: the same for the same run."""
    if is_run_id(run.id):
        return run.id
    return hashlib.sha256("\n".join([spec.to_json(), *events]).encode()).hexdigest()[:32]


def _measured(content: Content) -> FileEntry:
    made, size = hashlib.sha256(), 0
    for chunk in _chunks(content):
        made.update(chunk)
        size += len(chunk)
    return FileEntry(bytes=size, sha256=made.hexdigest())


def _zip(files: dict[str, Content], path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            about = zipfile.ZipInfo(name, EPOCH_OF_ZIPS)
            # Weights hardly pack, unless most are zero; then they pack so well that a bound on that, which
            # an import has, would be none.
            packs = not isinstance(content, Path)
            about.compress_type = zipfile.ZIP_DEFLATED if packs else zipfile.ZIP_STORED
            about.external_attr = 0o100644 << 16
            with archive.open(about, "w") as entry:
                for chunk in _chunks(content):
                    entry.write(chunk)


def _chunks(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from iter(lambda: file.read(CHUNK), b"")
