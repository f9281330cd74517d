"""Zips from strangers: refused in a sentence, or exactly the runs that their digests vouch for."""

from __future__ import annotations

import hashlib
import io
import pickle
import random
import stat
import struct
import time
import zipfile

import pytest

from core.export.archive.form import MAX_TOTAL_BYTES
from core.export.archive.importing import import_archive
from core.run.errors import SpecError
from tests.export.archives import (
    ID,
    OTHER,
    files_of,
    forget_all,
    given,
    last_epoch,
    listing,
    place_of_runs,
    refused,
    sealed,
    told,
    with_events,
    zipped,
)

MUTANTS = 1_000


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


def test_a_manifest_whose_own_digest_is_wrong_is_refused(place, store, original):
    """The figures were changed and their file's digest with them, but not the manifest's."""
    files = files_of(original[0])
    better = with_events(files, lambda told: last_epoch(told).update(validation_accuracy=1.0))
    said = refused(place, store, zipped(better | {"manifest.sha256": files["manifest.sha256"]}))
    assert "manifest.json" in said and "digest" in said
    said = refused(place, store, zipped(files | {"1/events.jsonl": better["1/events.jsonl"]}))
    assert "1/events.jsonl" in said and "digest" in said


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
