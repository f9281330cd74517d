"""Archives from strangers: refused in a sentence, or exactly the run that their digests vouch for."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import pickle
import random
import shutil
import stat
import struct
import time
import zipfile
from collections.abc import Callable

import pytest
from safetensors import SafetensorError, safe_open

from core.export.archive.form import MAX_TOTAL_BYTES
from core.export.archive.importing import import_archive
from core.export.archive.weights import WeightsHead
from core.export.source import open_sources
from core.run.errors import SpecError
from core.store.store import Store, run_folder
from core.store.tables import events as events_table
from core.store.tables import runs as runs_table
from tests.export.archives import (
    ID,
    Files,
    archived,
    files_of,
    listing,
    picture,
    sealed,
    stored,
    told,
    wipe,
    zipped,
)

MUTANTS, LIES = 1_000, 500
OTHER = "b" * 32
HOSTILE = "<img src=x onerror=alert(1)> [Sign in](http://evil.example) ![x](http://tracker.example/p.png)"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a home in it; nothing may be written elsewhere in it."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("archives")
        patch.setenv("AUGURY_HOME", str(root / "home"))
        yield root


@pytest.fixture(scope="module")
def original(place):
    """An archive of two runs, and what a person sees of each."""
    store = Store()
    stored(store)
    stored(store, OTHER, seed=1, name="")
    store.annotate(ID, "a note", ["tag"])
    content = archived(place, ID, OTHER)
    seen = {run_id: told(store, run_id) for run_id in (ID, OTHER)}
    store.close()
    wipe()
    return content, seen


@pytest.fixture
def store(place, original):
    store = Store()
    yield store
    forget_all(store)
    store.close()


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
    return str(caught.value)


def changed(files: Files, name: str, change: Callable[[dict], None]) -> Files:
    """The files with one JSON file changed, and a manifest that vouches for it."""
    value = json.loads(files[name])
    change(value)
    return sealed(files | {name: json.dumps(value).encode()})


def with_events(files: Files, change: Callable[[list], None]) -> Files:
    told = [json.loads(line) for line in files["1/events.jsonl"].splitlines()]
    change(told)
    return sealed(files | {"1/events.jsonl": lines(told)})


def lines(told: list) -> bytes:
    return "".join(json.dumps(event) + "\n" for event in told).encode()


def of_first(**values) -> Callable[[dict], None]:
    """A change of what the manifest says of the first run."""
    return lambda manifest: manifest["runs"][0].update(values)


def last_epoch(told: list) -> dict:
    return [event for event in told if event["event"] == "epoch"][-1]


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
    "a picture of 3 GB": lambda told: told[1]["strip"].update(images=png(30_000, 30_000)),
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


SPECS = {
    "a folder of this machine": {"data": {"name": "folder", "path": "/etc"}},
    "a path that climbs": {"data": {"name": "folder", "path": "../../etc/passwd"}},
    "half an upload": {"data": {"name": "folder", "path": "upload:../../x"}},
    "an unknown network": {"model": {"arch": "os.system"}},
    "a network that is too large": {"model": {"arch": "mlp", "params": {"hidden": [10**9]}}},
    "another network than the weights": {"model": {"arch": "mlp", "params": {"hidden": [9]}}},
    "an unknown key": {"__class__": 1},
    "another name": {"name": "Other"},
    "another seed": {"seed": 9},
}


@pytest.mark.parametrize("sort", SPECS)
def test_specs_that_can_not_be_are_refused(place, store, original, sort):
    files = changed(files_of(original[0]), "1/spec.json", lambda spec: spec.update(SPECS[sort]))
    refused(place, store, zipped(files))


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


def test_a_manifest_whose_own_digest_is_wrong_is_refused(place, store, original):
    """The figures were changed and their file's digest with them, but not the manifest's."""
    files = files_of(original[0])
    better = with_events(files, lambda told: last_epoch(told).update(validation_accuracy=1.0))
    said = refused(place, store, zipped(better | {"manifest.sha256": files["manifest.sha256"]}))
    assert "manifest.json" in said and "digest" in said
    said = refused(place, store, zipped(files | {"1/events.jsonl": better["1/events.jsonl"]}))
    assert "1/events.jsonl" in said and "digest" in said


NAMES = (
    "../evil.txt", "../../home/augury.db", "/etc/cron.d/x", "\\\\server\\x", "1\\spec.json", "C:\\x",
    "1/../x", "1/spec.json\0.png", "1/./spec.json", "1//spec.json", "./1/spec.json", "9/spec.json",
    "1/spec.json/", "1/", "images/", "1/SPEC.JSON", "1/weights.pkl", "1/weights.pt", "__MACOSX/._x",
    "manifest.json ", "1/spec．json", "١/spec.json", "x" * 5000, "-1/spec.json", "0/spec.json",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_other_names_are_refused_and_never_written(place, store, original, name):
    before = listing(place)
    before.pop("given.augury.zip", None)
    refused(place, store, zipped(sealed(files_of(original[0]) | {name: b"evil"})))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:  # as it stands, also where zipfile would mend it
        for each, content in files_of(original[0]).items():
            made.writestr(each, content)
        about = zipfile.ZipInfo("x")
        about.filename = name
        made.writestr(about, b"evil")
    refused(place, store, stream.getvalue())
    after = listing(place)
    after.pop("given.augury.zip")
    assert {each for each in after if not each.startswith("home/augury.db")} == {
        each for each in before if not each.startswith("home/augury.db")
    }


def test_links_folders_devices_and_other_packings_are_refused(place, store, original):
    files = files_of(original[0])
    for mode in (stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as made:
            for name, content in files.items():
                about = zipfile.ZipInfo(name)
                about.external_attr = (mode if name == "1/spec.json" else stat.S_IFREG) << 16
                made.writestr(about, content)
        assert "link" in refused(place, store, stream.getvalue())
    for pack in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "unusual" in refused(place, store, zipped(files, pack))


def test_encrypted_entries_are_refused(place, store, original):
    made = bytearray(original[0])
    for mark, place_of_flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := made.find(mark, at + 1)) >= 0:
            made[at + place_of_flags] |= 1
    assert "encrypted" in refused(place, store, bytes(made))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_stand_twice_are_refused(place, store, original):
    files = files_of(original[0])
    stream = io.BytesIO(zipped(files))
    with zipfile.ZipFile(stream, "a") as made:
        made.writestr("1/events.jsonl", files["1/events.jsonl"])
    assert "twice" in refused(place, store, stream.getvalue())


def test_bombs_are_refused_before_they_are_unpacked(place, store, original):
    files = files_of(original[0])
    began = time.perf_counter()
    for name in (
        "1/events.jsonl",
        "1/weights.safetensors",
        "index.html",
        "images/1-strip.png",
        "1/spec.json",
    ):
        refused(place, store, zipped(sealed(files | {name: bytes(60 << 20)})))
    many = {f"{i}/weights.safetensors": bytes(1 << 20) for i in range(1, 9)}
    refused(place, store, zipped(sealed(files | many)))
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("size", [2**32 - 2, MAX_TOTAL_BYTES + 1, 0, 5])
def test_a_length_that_is_a_lie_is_refused(place, store, original, size):
    """In the directory and before the entry itself, for each entry in turn."""
    files = files_of(original[0])
    for name in files:
        made = bytearray(zipped(files, zipfile.ZIP_STORED))
        for mark, where in ((b"PK\x03\x04", (22, 30)), (b"PK\x01\x02", (24, 46))):
            at = made.find(mark)
            while made[at + where[1] : at + where[1] + len(name)] != name.encode():
                at = made.find(mark, at + 1)
            made[at + where[0] : at + where[0] + 4] = struct.pack("<I", size)
        refused(place, store, bytes(made))


def test_many_entries_are_refused(place, store, original):
    files = files_of(original[0])
    refused(place, store, zipped(files | {f"x{i}": b"" for i in range(50_000)}))


def head_of(content: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def weights_with(head: object, numbers: bytes) -> bytes:
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def test_weights_are_read_as_the_safetensors_library_reads_them(place, original):
    """What is taken here the library opens too, with the same names, types and shapes."""
    content = files_of(original[0])["1/weights.safetensors"]
    rng, taken, path = random.Random(0), 0, place / "w.safetensors"
    for i in range(400):
        made = bytearray(content)
        if i:
            for _ in range(rng.choice((1, 1, 2, 4))):
                at = rng.randrange(8 + 400)
                made[at] = rng.choice((rng.randrange(256), *b'0123456789{}[],:" '))
        if i % 5 == 4:
            made = made[: rng.randrange(len(made))]
        head = WeightsHead()
        for start in range(0, len(made), 1000):
            head.take(bytes(made[start : start + 1000]))
        try:
            found = head.tensors()
        except SpecError:
            continue
        taken += 1
        path.write_bytes(made)
        with safe_open(path, "np") as opened:
            theirs = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
            assert {name: (each.dtype, each.shape) for name, each in found.items()} == {
                name: (each.get_dtype(), tuple(each.get_shape())) for name, each in theirs.items()
            }
    assert 20 < taken < 400


def test_weights_that_are_none_are_refused(place, store, original):
    files = files_of(original[0])
    head, numbers = head_of(files["1/weights.safetensors"])
    other = copy.deepcopy(head)
    first = next(name for name in head if name != "__metadata__")
    other[first]["shape"] = [10**9, 10**9]
    longer = copy.deepcopy(head)
    longer[first]["data_offsets"][1] += 4
    for content in (
        b"", b"\x80\x04}.", pickle.dumps([1]), b"PK\x03\x04", bytes(100), b"\xff" * 100,
        weights_with(other, numbers), weights_with(longer, numbers), weights_with([], numbers),
        weights_with(head, numbers[:-4]), weights_with(head, numbers + b"more"),
        weights_with({**head, "__metadata__": {"x": {}}}, numbers),
        struct.pack("<Q", 2**63) + b"{}", weights_with({}, b""),
    ):  # fmt: skip
        with pytest.raises((SafetensorError, AssertionError)):
            (place / "w.safetensors").write_bytes(content)
            with safe_open(place / "w.safetensors", "np") as opened:
                assert sum(opened.get_tensor(name).size for name in opened.keys()) > 0  # noqa: SIM118
        assert "weights" in refused(place, store, zipped(sealed(files | {"1/weights.safetensors": content})))


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


def flipped(content: bytes, rng: random.Random) -> bytes:
    """With bytes flipped, put in another's place, or left out; or cut short."""
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        at = rng.randrange(len(made))
        length = rng.choice((1, 4, 64, 1024))
        match rng.randrange(4):
            case 0:
                made[at] ^= 1 << rng.randrange(8)
            case 1:
                made[at : at + length] = rng.randbytes(length)
            case 2:
                del made[at : at + length]
            case 3 if rng.random() < 0.3:
                del made[at + 1 :]
        made = made or bytearray(1)
    return bytes(made)


def shuffled(content: bytes, rng: random.Random) -> bytes:
    """Whole files changed, swapped, left out or put in; the seal vouches for some of the manifests."""
    files = files_of(content)
    names = list(files)
    for _ in range(rng.choice((1, 1, 2))):
        one, two = rng.sample(names, 2)
        match rng.randrange(5):
            case 0:
                files[one], files[two] = files[two], files[one]
            case 1:
                files.pop(one, None)
                names = list(files)
            case 2:
                files[one] = flipped(files[one], rng)
            case 3:
                files[rng.choice(NAMES)[:60]] = files[one]
                names = list(files)
            case 4:
                files[one] = pickle.dumps({"event": "state"})
    if "manifest.json" in files and rng.random() < 0.3:
        seal = hashlib.sha256(files["manifest.json"]).hexdigest()
        files["manifest.sha256"] = f"{seal}  manifest.json\n".encode()
    return zipped(files, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def test_a_thousand_mutants_are_refused_or_are_what_the_digests_vouch_for(place, store, original):
    content, seen = original
    rng, refusals, whole = random.Random(0), 0, 0
    outside = {name for name in listing(place) if not name.startswith("home/")} | {"given.augury.zip"}
    for i in range(MUTANTS):
        mutant = content if i == 0 else flipped(content, rng) if i % 2 else shuffled(content, rng)
        try:
            found = import_archive(given(place, mutant), store)
        except SpecError as error:
            assert str(error) and "\n" not in str(error)
            refusals += 1
            assert not place_of_runs().exists() or not any(place_of_runs().iterdir())
            continue
        whole += 1
        assert [run.id for run in found] == [ID, OTHER]
        assert {run.id: told(store, run.id) for run in found} == seen
        forget_all(store)
    assert not store.runs()
    assert {name for name in listing(place) if not name.startswith("home/")} == outside
    assert {name.split("/")[1].split("-")[0] for name in listing(place) if name.startswith("home/")} == {
        "augury.db"
    }
    assert refusals > 0.8 * MUTANTS and whole > 1


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
