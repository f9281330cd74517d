"""The landing page: it says what this is and what to expect, and starts a preset in one click."""

import pytest
import sqlalchemy as sa
from visiting import asked, manager

from core.presets import LESSONS, PRESETS
from core.run.spec import parse
from core.store.store import Store
from core.text.escape import plain
from core.text.shares import in_full
from pages.features.frame.bar import PAGES
from pages.features.start.families import FAMILIES, family_of


def test_it_offers_every_preset(open_page):
    visit = open_page("app.py")
    assert visit.title[0].value == "Augury"
    assert {f"start.{name}" for name in PRESETS} <= {button.key for button in visit.button}
    said = " ".join(each.value for each in visit.markdown)
    assert all(preset.title in said and preset.watch in said for preset in PRESETS.values())


def test_a_lesson_is_ticked_once_it_was_trained_and_the_next_is_the_one_to_press(open_page, monkeypatch):
    def primary(visit):
        return [each.key for each in visit.button if each.proto.type == "primary"]

    assert primary(open_page("app.py")) == [f"start.{LESSONS[0]}"]
    first = PRESETS[LESSONS[0]].spec
    monkeypatch.setattr(
        "pages.features.start.landing.finished_before", lambda spec: "id" if spec == first else None
    )
    visit = open_page("app.py")
    assert primary(visit) == [f"start.{LESSONS[1]}"]
    assert visit.button(key=f"start.{LESSONS[0]}").label == "Open"
    assert [each.value for each in visit.markdown if "check_circle" in each.value] == [
        f"**1 · {PRESETS[LESSONS[0]].title}** :green[:material/check_circle:]"
    ]


def test_every_preset_that_is_no_lesson_stands_in_one_family():
    titles = {family.title for family in FAMILIES}
    assert {family_of(preset.spec) for preset in PRESETS.values()} == titles


def test_one_click_starts_a_preset_and_lands_on_the_live_page(open_page):
    visit = open_page("app.py")
    visit.button(key="start.l1-sparse").click().run()
    assert not visit.exception
    (run,) = manager().live()
    assert asked(visit, "run") == run.id
    assert visit.title[0].value == "L1 makes it sparse"
    manager().stop(run.id)


def test_what_is_running_is_shown(open_page):
    run_id = manager().submit(PRESETS["baseline"].spec)
    visit = open_page("app.py")
    assert any("Running now" in each.value for each in visit.markdown)
    assert any("Baseline" in each.proto.text for each in visit.get("progress"))
    manager().stop(run_id)
    manager().wait(run_id, timeout=60)
    assert any("Last run" in each.value for each in open_page("app.py").markdown)


def test_the_last_runs_line_says_of_how_many_its_accuracy_is(open_page):
    run_id = manager().submit(parse({"data": {"name": "digits"}, "train": {"epochs": 1, "device": "cpu"}}))
    result = manager().wait(run_id, timeout=60).history.result
    said = [each.proto.text for each in open_page("app.py").get("progress")]
    assert any(f"accuracy {in_full(result['validation_accuracy'], 359)} · " in each for each in said)


@pytest.mark.parametrize("page", [each.file for each in PAGES])
def test_any_page_can_be_the_first_that_is_opened(open_page, page):
    assert open_page(page).title


@pytest.mark.parametrize("page", [each.file for each in PAGES])
def test_each_page_leads_to_all_others(open_page, page):
    links = [each.proto.label for each in open_page(page).main.get("page_link")]
    assert links[: len(PAGES) + 1] == ["Augury", *(each.label for each in PAGES)]


@pytest.mark.parametrize("query", [{"hide": "pages"}, {"lock": "1"}])
@pytest.mark.parametrize("page", ["pages/1_Augment.py", "pages/2_Train.py"])
def test_a_link_for_a_class_leads_to_no_other_page(open_page, page, query):
    assert not open_page(page, **query).get("page_link")


def full_queue(monkeypatch):
    monkeypatch.setattr("core.jobs.turns.MAX_WAITING", 0)
    return "runs are waiting already; stop one, or try later"


def full_disk(monkeypatch):
    def create(self, run_id, spec, created_at, **described):
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(Store, "create", create)
    return plain("could not be stored: database or disk is full")


@pytest.mark.parametrize("refuse", [full_queue, full_disk])
@pytest.mark.parametrize(("page", "start"), [("app.py", "start.l1-sparse"), ("pages/2_Train.py", "start")])
def test_a_start_that_is_refused_says_why_where_it_was_asked_for(open_page, monkeypatch, refuse, page, start):
    visit = open_page(page)
    said = refuse(monkeypatch)
    visit.button(key=start).click().run()
    assert not visit.exception and len(visit.error) == 1 and said in visit.error[0].value
    assert not manager().live() and "run" not in visit.query_params
    visit.run()
    assert not visit.error
