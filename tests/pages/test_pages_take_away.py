"""The tab Take away, in each of its branches: offered, made, missing, refused, of one run and of several."""

import zipfile
from dataclasses import replace

import pytest
from test_pages_run import PAGE, SPEC, stored
from visiting import manager

from core.catalogues import completed
from core.export.catalogue import COMMAND, EXPORTS, Export, Question
from core.run.errors import SpecError
from core.run.spec import parse
from core.store.store import run_folder
from core.text.escape import plain

TAKE_AWAY = "Take away"


def simple(asked, folder):
    """A kind of these tests."""
    (folder / "simple.txt").write_text(f"{len(asked.runs)} {dict(asked.text)} {asked.link}")


def broken(asked, folder):
    raise SpecError("", "It can't be <b>*written*</b>.")


def kind(name="simple", **facts):
    told = {"title": name.title(), "help": "For a test.", "file": "simple.txt", "media_type": "text/plain"}
    return Export(name=name, **(told | {"write": f"{__name__}:simple", "several": True} | facts))


ASKED = (Question("author", "Name", "Who", lines=1), Question("question", "Question", "What"))


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    """Kinds that are quick to make, in place of all."""
    entries = [
        kind(),
        kind("alone", several=False),
        kind("written", asks=ASKED),
        kind("heavy", modules=("no_such_module",)),
        kind("net", wants_weights=True),
        kind("broken", write=f"{__name__}:broken"),
    ]
    for name in list(EXPORTS):
        monkeypatch.delitem(EXPORTS, name)
    for entry in entries:
        monkeypatch.setitem(EXPORTS, entry.name, entry)
    return {entry.name: entry for entry in entries}


def make(name):
    return f"export.make.{name}"


def keys(visit):
    return [each.key for each in visit.button if each.key and each.key.startswith("export.make.")]


def links(visit):
    """What can be downloaded: the label and the address."""
    return [
        (each.proto.label, each.proto.url)
        for each in visit.get("link_button")
        if "Download" in each.proto.label
    ]


def wait():
    (job, *_) = manager().recent(1, ("export",))
    assert manager().wait(job.id, 60).ended
    return job.id


def texts(visit):
    return " ".join(
        str(e.value) for of in ("caption", "error", "info", "warning", "code") for e in getattr(visit, of)
    )


def test_each_kind_is_offered_with_what_it_is_and_those_to_write_for_first(open_page):
    visit = open_page(PAGE, run=stored(), look=TAKE_AWAY)
    assert keys(visit) == [make(name) for name in ("written", "simple", "alone", "broken")]
    assert COMMAND in texts(visit) and r"no\_such\_module" in texts(visit)
    assert "no longer kept here" in texts(visit)  # the made-up run has left no weights
    assert links(visit) == []


def test_a_file_is_made_and_then_it_can_be_downloaded_by_anybody(open_page):
    run = stored()
    visit = open_page(PAGE, run=run, look=TAKE_AWAY)
    visit.button(key=make("simple")).click().run()
    job = wait()
    visit.run()
    ((label, address),) = links(visit)
    assert address == f"augury/artefact/{job}"
    assert make("simple") not in keys(visit) and not visit.exception
    assert links(open_page(PAGE, run=run, look=TAKE_AWAY)) == [(label, address)]
    (artefact,) = manager().artefacts_of(job)
    written = manager().artefacts.read(artefact.digest).decode()
    assert artefact.name == f"augury-{run[:8]}-simple.txt" and f"run={run}" in written
    assert label == plain(f"Download ({len(written)} bytes)")


def test_a_file_that_is_gone_can_be_made_again(open_page, home):
    visit = open_page(PAGE, run=stored(), look=TAKE_AWAY)
    visit.button(key=make("simple")).click().run()
    job = wait()
    from core.store.retention import forget_artefacts
    from core.store.store import Store

    store = Store()
    forget_artefacts(store, manager().artefacts, job)
    store.close()
    visit.run()
    assert links(visit) == [] and make("simple") in keys(visit) and "no longer kept" in texts(visit)
    visit.button(key=make("simple")).click().run()
    assert wait() != job and len(links(visit.run())) == 1


def test_what_a_person_writes_goes_into_it_and_survives(open_page):
    run = stored()
    visit = open_page(PAGE, run=run, look=TAKE_AWAY)
    # As a browser does it that is told of both at once: the text comes with the press.
    visit.text_area[0].set_value("Why <b>so</b>?\n")
    visit.text_input(key=f"export.written.author.{run[:8]}").set_value("Ada")
    visit.button(key=make("written")).click().run()
    job = wait()
    visit.run()
    assert visit.text_area[0].value == "Why <b>so</b>?\n" and len(links(visit)) == 1
    (artefact,) = manager().artefacts_of(job)
    written = manager().artefacts.read(artefact.digest).decode()
    assert "{'author': 'Ada', 'question': 'Why <b>so</b>?'}" in written
    visit.text_area[0].set_value("Another").run()
    assert links(visit) == [] and make("written") in keys(visit)  # of another text it is another file


def test_what_can_not_be_made_says_why_in_plain_text(open_page):
    visit = open_page(PAGE, run=stored(), look=TAKE_AWAY)
    visit.button(key=make("broken")).click().run()
    wait()
    visit.run()
    assert [each.value for each in visit.error] == [plain("It can't be <b>*written*</b>.")]
    assert make("broken") in keys(visit) and links(visit) == []


def test_one_that_needs_the_network_is_offered_where_it_is(open_page):
    run = stored()
    run_folder(run).mkdir(parents=True)
    (run_folder(run) / "weights.safetensors").write_bytes(b"weights")
    assert make("net") in keys(open_page(PAGE, run=run, look=TAKE_AWAY))


def test_of_a_run_that_goes_on_nothing_is_made(open_page):
    endless = SPEC.model_copy(update={"train": SPEC.train.model_copy(update={"epochs": 1000})})
    run = manager().submit(completed(endless))
    manager().wait_for_step(run, 60)
    visit = open_page(PAGE, run=run, look=TAKE_AWAY)
    assert keys(visit) == [] and "This run goes on: files can be made after the end." in texts(visit)
    both = open_page("pages/3_Runs.py", runs=f"{stored()},{run}", part="Take away")
    assert keys(both) == [] and "Of these runs 1 still go on" in texts(both)
    manager().stop(run)
    manager().wait(run, 60)
    assert keys(visit.run()) != []


def test_several_runs_are_taken_away_together(open_page):
    runs = [stored(), stored(spec=SPEC.model_copy(update={"seed": 3}))]
    visit = open_page("pages/3_Runs.py", runs=",".join(runs), part="Take away")
    assert keys(visit) == [make(name) for name in ("written", "simple", "broken")]
    visit.button(key=make("simple")).click().run()
    (artefact,) = manager().artefacts_of(wait())
    written = manager().artefacts.read(artefact.digest).decode()
    assert written.startswith("2 {} ") and f"runs={runs[0]},{runs[1]}" in written
    assert len(links(visit.run())) == 1


def test_an_export_is_no_run_in_any_list(open_page):
    run = stored()
    visit = open_page(PAGE, run=run, look=TAKE_AWAY)
    visit.button(key=make("simple")).click().run()
    wait()
    assert [each.id for each in manager().recent()] == [run]
    listed = open_page("pages/3_Runs.py")
    (table,) = (each.value for each in listed.dataframe if "state" in each.value.columns)
    assert len(table) == 1


def test_a_run_of_a_part_that_is_gone_says_so(open_page):
    spec = parse({**SPEC.model_dump(mode="json"), "regularisers": [{"kind": "gone", "strength": 0.1}]})
    visit = open_page(PAGE, run=stored(spec=spec), look=TAKE_AWAY)
    visit.button(key=make("simple")).click().run()
    wait()
    assert "called 'gone'" in visit.run().error[0].value and links(visit) == []


def test_a_kind_of_several_files_is_a_zip(open_page, monkeypatch, tmp_path):
    def two(asked, folder):
        simple(asked, folder)
        (folder / "more").mkdir()
        (folder / "more" / "b.txt").write_text("b")

    monkeypatch.setitem(globals(), "two", two)
    monkeypatch.setitem(EXPORTS, "simple", replace(EXPORTS["simple"], write=f"{__name__}:two"))
    visit = open_page(PAGE, run=stored(), look=TAKE_AWAY)
    visit.button(key=make("simple")).click().run()
    (artefact,) = manager().artefacts_of(wait())
    assert artefact.name.endswith("-simple.zip") and artefact.media_type == "application/zip"
    (tmp_path / "it.zip").write_bytes(manager().artefacts.read(artefact.digest))
    with zipfile.ZipFile(tmp_path / "it.zip") as archive:
        assert set(archive.namelist()) == {"simple.txt", "more/b.txt"}
