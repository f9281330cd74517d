"""What is removed, and what never is."""

import pytest

from core.run.checkpoints import LAST as CHECKPOINT
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.artefacts import Artefacts, listed, record
from core.store.retention import (
    STALE_SECONDS,
    WEIGHTS,
    make_room,
    purge_deleted,
    purge_passing,
    runs_bytes,
    sweep,
)
from core.store.store import UNDO_SECONDS, Store, run_folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def store(home):
    store = Store()
    yield store
    store.close()


@pytest.fixture
def kept(home):
    return Artefacts()


def run(store, letter, created_at, state="finished", **columns):
    """A run that has left a checkpoint and weights of 100 bytes each."""
    run_id = letter * 32
    store.create(run_id, RunSpec(), created_at, **columns)
    store.set_state(run_id, state)
    run_folder(run_id).mkdir(parents=True)
    for name in (CHECKPOINT, WEIGHTS):
        (run_folder(run_id) / name).write_bytes(b"x" * 100)
    return run_id


def artefact(store, kept, run_id, content):
    digest = kept.put(content)
    event = {"name": "n", "digest": digest, "media_type": "text/csv", "bytes": len(content)}
    record(store.engine, run_id, event)
    return digest


def left(*ids):
    return [
        "".join(name[0] for name in (CHECKPOINT, WEIGHTS) if (run_folder(i) / name).exists()) for i in ids
    ]


def test_checkpoints_go_first_then_weights_then_artefacts_of_the_oldest(store, kept):
    old, new = run(store, "a", 1.0), run(store, "b", 2.0, "stopped")
    artefact(store, kept, old, b"y" * 100)
    for most, expected in (
        (500, ["cw", "cw"]),
        (499, ["w", "cw"]),
        (300, ["w", "w"]),
        (299, ["", "w"]),
        (150, ["", ""]),
    ):
        make_room(store, kept, most)
        assert left(old, new) == expected
    assert len(listed(store.engine, old)) == 1
    make_room(store, kept, 99)
    assert listed(store.engine, old) == []


def test_what_runs_waits_is_starred_or_needed_stays(store, kept):
    ids = [run(store, "a", 1.0, "running"), run(store, "b", 2.0, "queued"), run(store, "c", 3.0, "paused")]
    ids += [run(store, "d", 4.0), run(store, "e", 5.0), run(store, "f", 6.0, digest="7" * 64)]
    free = run(store, "0", 9.0)
    store.star(ids[3])
    run(store, "1", 10.0, "queued", inputs={"start": ids[4]}, parents=["7" * 64])
    make_room(store, kept, 0)
    assert left(*ids, free) == ["cw"] * 6 + [""]


def test_a_deleted_run_is_really_gone_after_an_hour(store, kept):
    gone, stays = run(store, "a", 1.0), run(store, "b", 2.0)
    shared, own = artefact(store, kept, gone, b"shared"), kept.put(b"own")
    record(store.engine, gone, {"name": "o", "digest": own, "media_type": "text/csv", "bytes": 3})
    artefact(store, kept, stays, b"shared")
    store.append(gone, [(1, {"event": "state", "state": "running", "reason": ""})])
    store.delete(gone)
    deleted_at = store.run(gone).deleted_at
    purge_deleted(store, kept, deleted_at + UNDO_SECONDS - 1)
    assert left(gone) == ["cw"]
    assert store.restore(gone)
    store.delete(gone)
    purge_deleted(store, kept, store.run(gone).deleted_at + UNDO_SECONDS + 1)
    assert store.run(gone) is None
    assert store.events(gone) == []
    assert not run_folder(gone).exists()
    assert not store.restore(gone)
    assert left(stays) == ["cw"]
    assert kept.read(shared) == b"shared"
    with pytest.raises(SpecError, match="no longer kept"):
        kept.read(own)


def test_what_was_begun_long_ago_and_never_ended_is_removed(store, kept, home):
    run_id = run(store, "a", 1.0)
    parts = [run_folder(run_id) / "weights.part", home / "artefacts" / "ab" / "x.part"]
    for part in parts:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"x")
    written = parts[0].stat().st_mtime
    sweep(store, kept, now=written + STALE_SECONDS - 60)
    assert all(part.exists() for part in parts)
    sweep(store, kept, now=written + STALE_SECONDS + 60)
    assert not any(part.exists() for part in parts)
    assert left(run_id) == ["cw"]


def test_the_environment_says_how_much(store, kept, monkeypatch):
    assert runs_bytes() == 8 * 2**30
    run_id = run(store, "a", 1.0)
    monkeypatch.setenv("AUGURY_RUNS_BYTES", "100")
    sweep(store, kept)
    assert left(run_id) == ["w"]
    monkeypatch.setenv("AUGURY_RUNS_BYTES", "8 GB")
    with pytest.raises(SpecError, match="AUGURY_RUNS_BYTES: '8 GB' is not a number of bytes"):
        sweep(store, kept)


def test_of_quick_looks_the_latest_are_kept_and_runs_are_left_alone(store, kept):
    train = run(store, "a", 1.0)
    looks = [run(store, letter, at, kind="look") for letter, at in (("b", 2.0), ("c", 3.0), ("d", 4.0))]
    starred = run(store, "e", 1.5, kind="look")
    store.star(starred)
    live = run(store, "f", 1.2, state="running", kind="look")
    store.append(looks[0], [(1, {"event": "row", "word": "x"})])
    purge_passing(store, kept, ["look"], most=2)
    assert {each.id for each in store.runs()} == {train, *looks[1:], starred, live}
    assert store.events(looks[0]) == [] and not run_folder(looks[0]).exists()
    purge_passing(store, kept, [], most=0)
    assert len(store.runs()) == 5
