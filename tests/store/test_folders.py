"""Runs' folders in a store that machines share: what one leaves another finds, whole or not at all."""

import hashlib
import threading
import time

import pytest

from core.run.errors import SpecError
from core.store import folders as folders_module
from core.store.folders import Keeping, SharedFolders, here, shared_folders
from core.store.store import run_folder

RUN = "a" * 32


@pytest.fixture(params=["folder", "memory"])
def address(request, tmp_path):
    return str(tmp_path / "shared") if request.param == "folder" else f"memory://{tmp_path.name}"


@pytest.fixture
def machines(address):
    return SharedFolders(address, "one"), SharedFolders(address, "another")


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_one_machine_leaves_another_finds(machines, tmp_path):
    one, another = machines
    write(tmp_path / "a", weights="w", checkpoints__best="b")
    assert one.keep(RUN, tmp_path / "a") and not one.keep(RUN, tmp_path / "a")
    assert another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"weights": "w", "checkpoints/best": "b"}


def test_what_is_changed_added_and_removed_is_so_on_the_other_machine(machines, tmp_path):
    one, another = machines
    write(tmp_path / "a", same="s", changed="1", removed="r")
    one.keep(RUN, tmp_path / "a")
    another.fetch(RUN, tmp_path / "b")
    write(tmp_path / "a", changed="2", added="a")
    (tmp_path / "a" / "removed").unlink()
    assert one.keep(RUN, tmp_path / "a")
    another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"same": "s", "changed": "2", "added": "a"}


def test_what_is_being_written_stays_where_it_is(machines, tmp_path):
    one, another = machines
    write(tmp_path / "a", **{"checkpoint.1.part": "half", "whole": "w"})
    one.keep(RUN, tmp_path / "a")
    another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"whole": "w"}


def test_a_machine_keeps_what_it_has_written_since(machines, tmp_path):
    one, another = machines
    write(tmp_path / "a", checkpoint="1")
    one.keep(RUN, tmp_path / "a")
    write(tmp_path / "a", checkpoint="2", weights="w")  # and it is killed before it copies them
    assert one.fetch(RUN, tmp_path / "a")
    assert read(tmp_path / "a") == {"checkpoint": "2", "weights": "w"}
    another.fetch(RUN, tmp_path / "b")
    write(tmp_path / "b", checkpoint="3")
    another.keep(RUN, tmp_path / "b")  # the run went on there
    one.fetch(RUN, tmp_path / "a")
    assert read(tmp_path / "a") == {"checkpoint": "3"}
    write(tmp_path / "a", checkpoint="4")
    assert one.keep(RUN, tmp_path / "a")
    another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"checkpoint": "4"}


def test_a_run_that_the_store_does_not_know(machines, tmp_path):
    one, another = machines
    write(tmp_path / "a", weights="w")
    assert not one.fetch(RUN, tmp_path / "a")
    assert read(tmp_path / "a") == {"weights": "w"}
    one.keep(RUN, tmp_path / "a")
    one.forget(RUN)
    one.forget(RUN)
    assert not another.fetch(RUN, tmp_path / "b")
    with pytest.raises(ValueError, match="32 hex digits"):
        one.keep("../up", tmp_path / "a")


def test_damage_is_noticed_and_leaves_the_file_that_was_there(tmp_path):
    one, another = SharedFolders(tmp_path / "s", "one"), SharedFolders(tmp_path / "s", "another")
    write(tmp_path / "a", weights="whole")
    one.keep(RUN, tmp_path / "a")
    (tmp_path / "s" / "runs" / RUN / hashlib.sha256(b"whole").hexdigest()).write_text("whale")
    write(tmp_path / "b", weights="before")
    with pytest.raises(SpecError, match="the file weights that is kept there is damaged"):
        another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"weights": "before"}


@pytest.mark.parametrize(
    "listed",
    [
        "{",
        '{"files": {"../../up": "%s"}}' % ("0" * 64),
        '{"files": {"/etc/passwd": "%s"}}' % ("0" * 64),
        '{"files": {"a/../b": "%s"}}' % ("0" * 64),
        '{"files": {"a": "../up"}}',
    ],
)
def test_a_list_that_can_not_be_believed_is_refused(tmp_path, listed):
    write(tmp_path / "s" / "runs" / RUN, **{"files.json": listed})
    with pytest.raises(SpecError, match="what is kept of run aaaaaaaa is damaged"):
        SharedFolders(tmp_path / "s", "one").fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {}


def test_readers_find_the_files_of_one_moment_while_they_are_replaced(machines, tmp_path):
    one, another = machines
    done = threading.Event()
    last, seen = 0, 0

    def replace():
        nonlocal last
        deadline = time.monotonic() + 60
        while last < 60 or (seen < 5 and time.monotonic() < deadline):  # on a busy machine the reader is late
            last += 1
            write(tmp_path / "a", first=str(last), second=str(last))
            one.keep(RUN, tmp_path / "a")
            time.sleep(0.001)
        done.set()

    write(tmp_path / "a", first="0", second="0")
    one.keep(RUN, tmp_path / "a")
    writer = threading.Thread(target=replace)
    writer.start()
    while not done.is_set():
        try:
            another.fetch(RUN, tmp_path / "b")
        except FileNotFoundError:  # replaced three times meanwhile: what is here stays
            continue
        found = read(tmp_path / "b")
        seen += 1
        assert abs(int(found["first"]) - int(found["second"])) <= 1  # the writer's own two files
    writer.join()
    assert seen >= 5
    another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"first": str(last), "second": str(last)}


def test_a_folder_is_kept_while_something_writes_to_it(machines, tmp_path, monkeypatch):
    one, another = machines
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0.05")
    told = threading.Event()
    keeping = Keeping(one, RUN, tmp_path / "a", told.set)
    write(tmp_path / "a", checkpoint="1")
    assert told.wait(10)
    another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"checkpoint": "1"}
    write(tmp_path / "a", checkpoint="2")
    keeping.finish()
    another.fetch(RUN, tmp_path / "b")
    assert read(tmp_path / "b") == {"checkpoint": "2"}


def test_an_upload_travels_under_its_name(machines, tmp_path, monkeypatch):
    one, another = machines
    path, zipped = f"upload:{'1' * 64}", f"{'1' * 64}.zip"
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "one"))
    another.fetch_upload(path)  # nowhere: whoever opens it says so
    write(tmp_path / "one" / "uploads", **{zipped: "images", f"{'1' * 64}.json": "{}"})
    one.keep_upload(path)
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "another"))
    another.fetch_upload(path)
    assert read(tmp_path / "another" / "uploads") == {zipped: "images", f"{'1' * 64}.json": "{}"}


def test_the_oldest_uploads_make_room(machines, tmp_path, monkeypatch):
    one, another = machines
    monkeypatch.setattr(folders_module, "UPLOAD_BYTES", 25)
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "one"))
    for digit in "123":
        write(tmp_path / "one" / "uploads", **{f"{digit * 64}.zip": "ten bytes!"})
        one.keep_upload(f"upload:{digit * 64}")
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "another"))
    for digit in "123":
        another.fetch_upload(f"upload:{digit * 64}")
    assert set(read(tmp_path / "another" / "uploads")) == {f"{digit * 64}.zip" for digit in "23"}


def test_machines_share_a_store_where_several_may_compute(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    for name in ("AUGURY_ARTEFACTS", "AUGURY_DATABASE_URL", "AUGURY_EXECUTOR"):
        monkeypatch.delenv(name, raising=False)
    assert shared_folders() is None
    monkeypatch.setenv("AUGURY_ARTEFACTS", str(tmp_path / "shared"))
    assert shared_folders() is None  # SQLite: one machine
    monkeypatch.setenv("AUGURY_DATABASE_URL", "postgresql+psycopg://augury@db/augury")
    assert shared_folders().address == str(tmp_path / "shared")
    monkeypatch.delenv("AUGURY_ARTEFACTS")
    assert shared_folders() is None  # the servers share their home
    monkeypatch.setenv("AUGURY_EXECUTOR", "ray")
    assert shared_folders().address == str(tmp_path / "artefacts")


def test_a_page_finds_what_a_run_left_on_another_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUGURY_ARTEFACTS", str(tmp_path / "shared"))
    monkeypatch.setenv("AUGURY_DATABASE_URL", "postgresql+psycopg://augury@db/augury")
    write(tmp_path / "a", **{"weights.safetensors": "w"})
    SharedFolders(tmp_path / "shared", "another").keep(RUN, tmp_path / "a")
    assert here(RUN) == run_folder(RUN) and read(here(RUN)) == {"weights.safetensors": "w"}
