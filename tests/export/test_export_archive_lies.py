"""Archives whose digests are right and whose content is a lie: whoever lies can make them fit."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import random
import struct
import time
from collections.abc import Callable

import pytest

from core.export.archive.importing import import_archive
from core.export.source import open_sources
from core.run.errors import SpecError
from tests.export.archives import (
    HOSTILE,
    Files,
    files_of,
    forget_all,
    given,
    last_epoch,
    lines,
    picture,
    refused,
    sealed,
    with_events,
    zipped,
)

LIES = 500


def changed(files: Files, name: str, change: Callable[[dict], None]) -> Files:
    """The files with one JSON file changed, and a manifest that vouches for it."""
    value = json.loads(files[name])
    change(value)
    return sealed(files | {name: json.dumps(value).encode()})


def of_first(**values) -> Callable[[dict], None]:
    """A change of what the manifest says of the first run."""
    return lambda manifest: manifest["runs"][0].update(values)


def png(width: int, height: int) -> str:
    content = bytearray(picture())
    content[16:24] = struct.pack(">II", width, height)
    return base64.b64encode(content).decode()


EPOCH = {  # changes of an epoch's figures that the digests were made to vouch for
    "an accuracy above 1": {"validation_accuracy": 1.5},
    "an accuracy below 0": {"train_accuracy": -0.1},
    "a loss that is no number": {"validation_loss": "<script>"},
    "no sparsity": {"sparsity": {}},
    "other layers": {"sparsity": {"exact": 0.1, "near": 0.1, "weights": 5, "layers": {}}},
    "a huge step": {"step": 10**400},
    "an epoch before": {"epoch": 1},
    "an answer of no class": {"answers": {"answers": [0, 9, 0], "confidence": [0.5, 0.5, 0.5]}},
    "confusions of other classes": {"confusion": [[1]]},
    "a number too large in a field of another version": {"more": [[2**60]]},
}


@pytest.mark.parametrize("sort", EPOCH)
def test_figures_that_make_no_sense_are_refused_also_with_right_digests(place, store, original, sort):
    files = files_of(original[0])
    said = refused(
        place, store, zipped(with_events(files, lambda told: last_epoch(told).update(EPOCH[sort])))
    )
    assert "events.jsonl" in said


def foreign(event: dict) -> Callable[[list], None]:
    return lambda told: told.insert(3, event)


EVENTS = {
    "a file of somebody": foreign(
        {"event": "artefact", "name": "x", "digest": "0" * 64, "media_type": "text/html", "bytes": 1}
    ),
    "a row of a table": foreign({"event": "row", "x": 1}),
    "a batch": foreign({"event": "batch", "step": 1, "images": "", "count": 0, "labels": []}),
    "none at all": foreign({"event": "shutdown"}),
    "a list": foreign([]),
    "an end in the midst": lambda told: told.pop(),
    "another end": lambda told: told[-1].update(state="failed", reason="x"),
    "no start": lambda told: told.pop(1),
    "epochs of no length": lambda told: told[1].update(epochs=0),
    "no classes": lambda told: told[1].update(classes=[]),
    "too many classes": lambda told: told[1].update(classes=["x"] * 2000),
    "no picture": lambda told: told[1]["strip"].update(images="PHNjcmlwdD4="),
    "a picture that is text": lambda told: told[1]["strip"].update(images='"><script>'),
    "another picture": lambda told: told[1]["strip"].update(images=base64.b64encode(picture(16)).decode()),
    "no picture any more": lambda told: told[1].pop("strip"),
    "an edit that was not made": foreign({"event": "edit", "step": 1, "set": {"train.epochs": 9}, "was": {}}),
    "an edit of nothing": lambda told: told.remove(next(e for e in told if e["event"] == "edit")),
}


@pytest.mark.parametrize("sort", EVENTS)
def test_events_that_no_run_tells_are_refused(place, store, original, sort):
    refused(place, store, zipped(with_events(files_of(original[0]), EVENTS[sort])))


STEP = b'{"event": "step", "step": 1, "epoch": %b, "loss": %b, "penalty": 0, "learning_rate": 1}\n'
LINES = {
    "NaN": STEP % (b"0.1", b"NaN"),
    "Infinity": STEP % (b"0.1", b"-Infinity"),
    "more than any number": STEP % (b"1e999", b"1"),
    "NaN in another field": b'{"event": "state", "state": "running", "x": NaN}\n',
    "a huge number": b'{"event": "state", "state": "running", "x": ' + b"9" * 9000 + b"}\n",
    "half a letter": b'{"event": "state", "state": "running", "reason": "\\ud800"}\n',
    "no UTF-8": b'{"event": "state", "state": "running", "reason": "\xff"}\n',
    "deep nesting": b'{"event": "state", "state": "running", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}\n",
    "deep objects": b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"\n",
    "a pickle": pickle.dumps({"event": "state", "state": "running"}),
    "a long line": b'{"event": "state", "state": "running", "x": "' + b"x" * 300_000 + b'"}\n',
    "nothing": b"\n",
    "no end": b'{"event": "state", "state": "running"}',
}


@pytest.mark.parametrize("sort", LINES)
def test_lines_that_are_no_events_are_refused(place, store, original, sort):
    files = files_of(original[0])
    refused(place, store, zipped(sealed(files | {"1/events.jsonl": LINES[sort] + files["1/events.jsonl"]})))
    if sort != "no UTF-8":
        refused(place, store, zipped(sealed(files | {"1/spec.json": LINES[sort]})))
        refused(place, store, zipped(sealed(files | {"1/edits.json": LINES[sort]})))
    manifest = sealed(files) | {"manifest.json": LINES[sort]}
    refused(place, store, zipped(manifest))


OWN = {"name": "folder", "side": 8, "channels": 1}  # of which the weights would fit


@pytest.mark.parametrize("size", [(30_000, 8), (24, 300), (0, 8), (2**31, 2**31)])
def test_a_picture_that_would_fill_a_browsers_memory_is_refused(place, store, original, size):
    """The same one in the events and beside them."""
    large = png(*size)
    files = with_events(files_of(original[0]), lambda told: told[1]["strip"].update(images=large))
    files = sealed(files | {"images/1-strip.png": base64.b64decode(large)})
    assert "pixels" in refused(place, store, zipped(files))


SPECS = {
    "a folder of this machine": ({"data": OWN | {"path": "/etc"}}, "names a folder"),
    "a path that climbs": ({"data": OWN | {"path": "../../etc/passwd"}}, "names a folder"),
    "half an upload": ({"data": OWN | {"path": "upload:../../x"}}, "names a folder"),
    "an unknown network": ({"model": {"arch": "os.system"}}, "os.system"),
    "a network too large": ({"model": {"arch": "mlp", "params": {"hidden": [10**9]}}}, "hidden"),
    "another network": ({"model": {"arch": "mlp", "params": {"hidden": [9]}}}, "weights are"),
    "an unknown key": ({"__class__": 1}, "__class__"),
    "another name": ({"name": "Other"}, "another name"),
    "another seed": ({"seed": 9}, "another name or seed"),
}


@pytest.mark.parametrize("sort", SPECS)
def test_specs_that_can_not_be_are_refused(place, store, original, sort):
    change, said = SPECS[sort]
    files = changed(files_of(original[0]), "1/spec.json", lambda spec: spec.update(change))
    assert said in refused(place, store, zipped(files))


MANIFESTS = {
    "a newer form": lambda manifest: manifest.update(version=2),
    "a form of others": lambda manifest: manifest.update(format="zip"),
    "an unknown key": lambda manifest: manifest.update(run="x"),
    "no runs": lambda manifest: manifest.update(runs=[]),
    "nine runs": lambda manifest: manifest.update(runs=manifest["runs"][:1] * 9),
    "a run twice": lambda manifest: manifest.update(runs=manifest["runs"][:1] * 2),
    "one run too few": lambda manifest: manifest["runs"].pop(),
    "a file too few": lambda manifest: manifest["files"].pop("1/edits.json"),
    "a file that is not there": lambda manifest: manifest["files"].update(
        {"3/spec.json": manifest["files"]["1/spec.json"]}
    ),
    "an id that is a path": of_first(id="../../../../tmp/x"),
    "an id in capitals": of_first(id="A" * 32),
    "a run that goes on": of_first(state="running"),
    "another end": of_first(state="stopped"),
    "another reason": of_first(reason="because"),
    "another kind": of_first(kind="export"),
    "a day to come": of_first(created_at=time.time() + 9e6),
    "a day before time": of_first(created_at=-1.0),
    "no day": of_first(created_at=float("nan")),
    "a long note": of_first(note="x" * 5000),
    "a note with half a letter": of_first(note="\ud800"),
    "a note with NUL": of_first(note="a\0b"),
    "a tag with NUL": of_first(tags=["a\0b"]),
    "many tags": of_first(tags=["x"] * 21),
    "an empty tag": of_first(tags=[""]),
    "an input of another kind": of_first(inputs={"runs": ["x"]}),
    "a parent that is a path": of_first(inputs={"parent": "../x"}),
    "a parent's digest that is none": of_first(parents=["x"]),
    "figures of its own": of_first(summary={"last": {}}),
}


@pytest.mark.parametrize("sort", MANIFESTS)
def test_manifests_that_can_not_be_are_refused(place, store, original, sort):
    refused(place, store, zipped(sealed(files_of(original[0]), change=MANIFESTS[sort])))


def test_hostile_names_and_notes_come_in_as_text(place, store, original):
    files = files_of(original[0])
    spec = json.loads(files["1/spec.json"]) | {"name": HOSTILE[:80]}
    made = sealed(
        files | {"1/spec.json": json.dumps(spec).encode()},
        change=of_first(name=HOSTILE[:80], note=HOSTILE, tags=[HOSTILE[:40]]),
    )
    first, _ = import_archive(given(place, zipped(made)), store)
    run = store.run(first.id)
    assert (run.name, run.note, run.tags) == (HOSTILE[:80], HOSTILE, (HOSTILE[:40],))


# A thousand mutants


VALUES = (
    None, True, -1, 0, 1e308, -1e-308, 2**53, 2**70, 10**400, 0.5, "", "x" * 3000, "\0", "\ud800", "NaN",
    HOSTILE, [], {}, [[[[[]]]]], {"a": {"a": {}}}, float("nan"), float("inf"),
)  # fmt: skip


def otherwise(value: object, rng: random.Random) -> object:
    """JSON with one value in it changed, left out or put in, at any depth."""
    if rng.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return rng.choice(VALUES)
    made = copy.copy(value)
    at = rng.choice(list(made) if isinstance(made, dict) else range(len(made)))
    if rng.random() < 0.1:
        del made[at]
    else:
        made[at] = otherwise(made[at], rng)
    return made


def test_lies_that_the_digests_vouch_for_are_refused_or_shown_as_they_were_told(place, store, original):
    """Whoever lies can make the digests fit. What comes in is then what the archive says, and can be read."""
    files, rng, whole = files_of(original[0]), random.Random(0), 0
    for _ in range(LIES):
        made, name = dict(files), rng.choice(("1/spec.json", "1/edits.json", *["1/events.jsonl"] * 3))
        parts = [json.loads(line) for line in files[name].splitlines()] if "events" in name else None
        if parts is not None:
            at = rng.randrange(len(parts))
            parts[at] = otherwise(parts[at], rng)
            made[name] = lines(parts)
        else:
            made[name] = json.dumps(otherwise(json.loads(files[name]), rng)).encode()
        lie = otherwise(json.loads(files["manifest.json"])["runs"], rng) if rng.random() < 0.2 else None
        made = sealed(made, change=lambda manifest, lie=lie: manifest.update(runs=lie) if lie else None)
        try:
            found = import_archive(given(place, zipped(made)), store)
        except SpecError as error:
            assert str(error) and "\n" not in str(error)
            continue
        whole += 1
        first = store.run(found[0].id)
        kept = [event for _, event in store.events(first.id)]
        said = [json.loads(line) for line in made["1/events.jsonl"].splitlines()]
        assert kept == said
        figures = next((event for event in reversed(said) if event["event"] == "epoch"), None)
        assert first.summary["last"]["validation_accuracy"] == figures["validation_accuracy"]
        assert open_sources([first.id])[0].history.epochs
        forget_all(store)
    assert whole > 10
