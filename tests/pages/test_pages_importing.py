"""An archive given on the Runs page: what becomes of it, and how its run is marked."""

import json
import shutil

import pytest

from core.store.store import Store, run_folder
from core.text.escape import plain
from tests import in_process
from tests.export.archives import ID, archived, events, files_of, sealed, stored, zipped
from tests.pages.visiting import RUN_PARTS, manager, place

PAGE, RUN = "pages/3_Runs.py", "pages/2_Train.py"
HOSTILE = "<b>x</b> [Sign in](http://evil.example) ![x](http://tracker.example/p.png)"


@pytest.fixture(autouse=True)
def here(monkeypatch):
    in_process.answers(monkeypatch)


def made(tmp_path, told=None, **choices) -> bytes:
    """The archive of a run that is no longer here."""
    store = Store()
    stored(store, told=told, **choices)
    content = archived(tmp_path, ID)
    with store.engine.begin() as connection:
        for table, column in (("events", "run_id"), ("runs", "id")):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE {column} = '{ID}'")
    store.close()
    shutil.rmtree(run_folder(ID))
    return content


def links(visit):
    return [each.proto.label for each in visit.get("page_link")]


def texts(visit):
    drawn = (*visit.markdown, *visit.caption, *visit.info, *visit.error, *visit.warning)
    return " ".join(each.value for each in drawn)


def test_an_archive_is_imported_and_its_run_offered(open_page, tmp_path):
    content = made(tmp_path)
    visit = open_page(PAGE)
    visit.file_uploader(key="runs.import").upload("a.augury.zip", content).run()
    assert not visit.exception and not visit.error
    assert any(each == "Small (imported)" for each in links(visit))
    table = next(each.value for each in visit.dataframe if "state" in each.value.columns)
    assert list(table["state"]) == ["finished, imported"]
    visit.run()
    assert len(manager().recent()) == 1
    view = manager().view(ID)
    assert view.imported_at is not None and view.history.result["validation_accuracy"] == 0.75


def test_the_runs_own_page_says_that_it_was_imported_and_offers_no_way_on(open_page, tmp_path):
    content = made(tmp_path, [*events()[:-2], {"event": "state", "state": "stopped", "reason": "by hand"}])
    open_page(PAGE).file_uploader(key="runs.import").upload("a.augury.zip", content).run()
    visit = open_page(RUN, run=ID)
    assert "Imported" in texts(visit) and "not computed on this server" in texts(visit)
    assert not any(each.label == "Go on" for each in visit.button)
    assert any(each.label.startswith("Change something") for each in visit.button)


def test_one_that_is_here_already_is_said_to_be(open_page, tmp_path):
    content = made(tmp_path)
    for said in ("Small (imported)", "Small (here already"):
        visit = open_page(PAGE)
        visit.file_uploader(key="runs.import").upload("a.augury.zip", content).run()
        assert any(said in each for each in links(visit))
    assert len(manager().recent()) == 1


def test_a_bad_archive_is_refused_in_a_sentence(open_page, tmp_path):
    files = files_of(made(tmp_path))
    visit = open_page(PAGE)
    for content in (b"no zip", zipped(files | {"1/events.jsonl": b"{}\n"}), zipped(files | {"../x": b""})):
        visit.file_uploader(key="runs.import").upload("a.augury.zip", content).run()
        assert len(visit.error) == 1 and not visit.exception
    assert not manager().recent()


def test_what_a_stranger_calls_his_run_is_shown_as_text(open_page, tmp_path):
    files = files_of(made(tmp_path))
    spec = json.loads(files["1/spec.json"]) | {"name": HOSTILE}
    change = {"name": HOSTILE, "note": HOSTILE, "tags": [HOSTILE[:40]]}
    content = sealed(
        files | {"1/spec.json": json.dumps(spec).encode()},
        change=lambda manifest: manifest["runs"][0].update(change),
    )
    visit = open_page(PAGE)
    visit.file_uploader(key="runs.import").upload("a.augury.zip", zipped(content)).run()
    assert f"{plain(HOSTILE)} (imported)" in links(visit)
    visit = open_page(RUN, run=ID)
    assert visit.title[0].value == plain(HOSTILE) and HOSTILE not in texts(visit)


@pytest.mark.parametrize("data", ["upload", "parent"])
def test_a_run_whose_images_or_parent_are_not_here_can_be_looked_at(open_page, tmp_path, data):
    started = {"begins_at": 4, "begins_epoch": 1.0} if data == "parent" else {}
    own = {"name": "folder", "path": "upload:" + "0" * 64, "side": 8, "channels": 1}
    files = files_of(made(tmp_path, events(**started), **({"data": own} if data == "upload" else {})))
    inputs = {"parent": "c" * 32, "step": 4}
    change = {"inputs": inputs, "parents": ["d" * 64]} if data == "parent" else {}
    content = sealed(files, change=lambda manifest: manifest["runs"][0].update(change))
    visit = open_page(PAGE)
    visit.file_uploader(key="runs.import").upload("a.augury.zip", zipped(content)).run()
    assert not visit.error and not visit.exception
    for part in RUN_PARTS:
        visit = open_page(RUN, run=ID, **place(part))
        assert not visit.exception
        if data == "upload" and part == "Mistakes":
            assert "no longer here" in visit.error[0].value
    notes = [each.value for each in open_page(RUN, run=ID).info]
    assert any("no script and no notebook" in note for note in notes) == (data == "parent")
    if data == "parent":
        assert "A branch after epoch 1" in texts(visit)


def test_what_is_larger_than_a_page_takes_is_not_read(open_page, monkeypatch):
    monkeypatch.setattr("pages.features.runs.importing.MOST_BYTES", 1 << 20)
    monkeypatch.setattr("pages.features.runs.importing.import_archive", None)
    visit = open_page(PAGE)
    visit.file_uploader(key="runs.import").upload("a.augury.zip", bytes(2 << 20)).run()
    assert "larger than 1 MB" in visit.error[0].value
