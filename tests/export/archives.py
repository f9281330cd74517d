"""A small run in the store, its archive, and archives that somebody has tampered with."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from core.catalogues import completed
from core.export.archive.importing import import_archive
from core.export.catalogue import EXPORTS
from core.export.source import Asked, open_sources
from core.export.write import written
from core.home import home
from core.run.errors import SpecError
from core.run.history import build_history, summary
from core.run.spec import parse
from core.store.retention import WEIGHTS
from core.store.store import Store, run_folder
from core.store.tables import events as events_table
from core.store.tables import runs as runs_table
from tests import made_up_run

EPOCHS = 3
ID, OTHER = "a" * 32, "b" * 32
HOSTILE = "<img src=x onerror=alert(1)> [Sign in](http://evil.example) ![x](http://tracker.example/p.png)"
SPEC = {
    "name": "Small",
    "data": {"name": "digits"},
    "model": {"arch": "mlp", "params": {"hidden": [8]}},
    "train": {"epochs": EPOCHS},
}
SIDE, CLASSES, HIDDEN = 8, 2, 8  # of digits, of the made-up run, and of the spec
Files = dict[str, bytes]


def picture(width: int = 24, height: int = 8) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height), 90).save(stream, "PNG")
    return stream.getvalue()


def events(**started) -> list[dict]:
    """Of a made-up run with three images that are shown, and an edit."""
    told = copy.deepcopy(made_up_run.events(epochs=EPOCHS))
    strip = {"images": base64.b64encode(picture()).decode(), "labels": [0, 1, 0]}
    told[1] |= {"epochs": EPOCHS, "strip": strip, **started}
    change = {"optimiser.lr": 0.0005}
    edit = {"event": "edit", "step": 6, "epoch": 1.5, "set": change, "was": {"optimiser.lr": 0.001}}
    place = next(i for i, event in enumerate(told) if event.get("step") == 7)
    told.insert(place, edit)
    return told


def weights(path: Path) -> None:
    """Of the spec's network: two dense layers."""
    drawn = np.random.default_rng(0)
    shapes = {
        "hidden.weight": (HIDDEN, SIDE * SIDE),
        "hidden.bias": (HIDDEN,),
        "out.weight": (CLASSES, HIDDEN),
        "out.bias": (CLASSES,),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: drawn.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}, path)


def stored(store: Store, run_id: str = ID, told: list[dict] | None = None, **choices) -> str:
    """A run that has ended, with weights."""
    now = time.time() - 1000
    numbered = list(enumerate(events() if told is None else told, 1))
    store.create(run_id, completed(parse(SPEC | choices)), now, visitor="there/visit")
    store.append(run_id, numbered)
    figures = summary(build_history(numbered).history())
    end = numbered[-1][1]
    made = store.run(run_id).digest_with([event for _, event in numbered if event["event"] == "edit"])
    times = {"started_at": now + 1, "finished_at": now + 9.25}
    state, reason = end.get("state", "interrupted"), end.get("reason", "")
    store.set_state(run_id, state, reason, summary=figures, digest=made, **times)
    weights(run_folder(run_id) / WEIGHTS)
    return run_id


def archived(folder: Path, *run_ids: str) -> bytes:
    """The archive of stored runs."""
    made = folder / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    (path,) = written(EXPORTS["archive"], Asked(open_sources(run_ids)), made)
    return path.read_bytes()


def files_of(archive: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(files: Files, pack: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", pack) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return stream.getvalue()


def sealed(files: Files, *, change: Callable[[dict], None] = lambda manifest: None) -> Files:
    """The same files with a manifest that vouches for them, as somebody who lies would write it."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
        if not name.startswith("manifest.")
    }
    change(manifest)
    text = json.dumps(manifest).encode()
    seal = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n".encode()
    return files | {"manifest.json": text, "manifest.sha256": seal}


def listing(folder: Path) -> dict[str, bytes]:
    """All files below a folder, and what is in them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def wipe() -> None:
    """A home as of a new installation."""
    shutil.rmtree(home())


def told(store: Store, run_id: str) -> dict:
    """All that a person sees of a run, without what marks an import."""
    run = store.run(run_id)
    assert run is not None
    row = run.model_dump(exclude={"imported_at", "visitor", "control", "resumes", "rank"})
    return row | {"events": [event for _, event in store.events(run_id)], "weights": _weights(run_id)}


def _weights(run_id: str) -> bytes:
    path = run_folder(run_id) / WEIGHTS
    return path.read_bytes() if path.is_file() else b""


def forget_all(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(events_table.delete())
        connection.execute(runs_table.delete())
    shutil.rmtree(place_of_runs(), ignore_errors=True)


def place_of_runs():
    return run_folder(ID).parent


def given(place, content: bytes):
    path = place / "given.augury.zip"
    path.write_bytes(content)
    return path


def refused(place, store: Store, content: bytes) -> str:
    with pytest.raises(SpecError) as caught:
        import_archive(given(place, content), store)
    assert not store.runs() and not listing(place_of_runs())
    assert caught.value.where == "ARCHIVE"
    return str(caught.value)


def with_events(files: Files, change: Callable[[list], None]) -> Files:
    told = [json.loads(line) for line in files["1/events.jsonl"].splitlines()]
    change(told)
    return sealed(files | {"1/events.jsonl": lines(told)})


def lines(told: list) -> bytes:
    return "".join(json.dumps(event) + "\n" for event in told).encode()


def last_epoch(told: list) -> dict:
    return [event for event in told if event["event"] == "epoch"][-1]


def put_in(content: bytes, folder: Path, store: Store, visitor: str = ""):
    """Import an archive, through a file in ``folder``."""
    path = folder / "given.augury.zip"
    path.write_bytes(content)
    return import_archive(path, store, visitor)
