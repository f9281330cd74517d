"""The teacher's view: by a key, which leaves the address; what a class sees of it."""

import pytest
from visiting import manager

from core.jobs.manager import FROZEN
from core.presets import PRESETS
from core.text.escape import plain
from pages.features.frame import teachers_key, visitor

KEY = "chalk and sponge"
SPEC = PRESETS["baseline"].spec


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("AUGURY_TEACHER_KEY", KEY)
    monkeypatch.setattr(visitor, "place_of_address", lambda address: "school")
    monkeypatch.setattr(teachers_key, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(teachers_key, "_tries", teachers_key.Tries())


@pytest.fixture
def runs():
    """One that runs, and two that wait."""
    ids = [manager().submit(SPEC, visitor=f"{whose}/{whose}") for whose in "abc"]
    yield ids
    for each in ids:
        manager().stop(each)
    manager().wait(ids[0], 60)


def headings(visit):
    return [each.value for each in visit.subheader]


def press(visit, key):
    return next(each for each in visit.button if each.key == key).click().run()


def test_the_key_opens_the_view_and_leaves_the_address(open_page, runs):
    visit = open_page("app.py", teacher=KEY)
    assert "teacher" not in visit.query_params and "Teacher's view" in headings(visit)
    assert "Teacher's view" in headings(visit.run())  # for the whole visit
    lines = [each.value for each in visit.markdown if "visitor" in each.value]
    assert len(lines) == 3 and not any("school" in each for each in lines)
    assert "1. in the queue" in lines[1] and "2. in the queue" in lines[2]
    names = [each.proto.label for each in visit.get("page_link") if "run=" in each.proto.query_string]
    assert names == ["**Baseline**"] * 3
    assert "Teacher's view" not in headings(open_page("app.py"))


def test_a_teacher_stops_moves_and_removes(open_page, runs):
    visit = open_page("app.py", teacher=KEY)
    press(visit, f"teacher.First.{runs[2]}")
    assert [view.id for view in manager().live()] == [runs[0], runs[2], runs[1]]
    press(visit, f"teacher.Down.{runs[2]}")
    assert [view.id for view in manager().live()] == runs
    press(visit, f"teacher.stop.{runs[1]}")
    assert manager().view(runs[1]).state == "stopped"
    press(visit, f"teacher.remove.{runs[1]}")
    assert manager().view(runs[1]) is None and not visit.error
    press(visit, "undelete")
    assert manager().view(runs[1]) is not None


def test_while_it_is_frozen_the_class_is_told_and_the_teacher_starts(open_page):
    visit = open_page("app.py", teacher=KEY)
    press(visit, "freeze")
    assert manager().frozen() and any("Only you" in each.value for each in visit.warning)
    pupil = open_page("pages/2_Train.py")
    assert FROZEN in [each.value for each in pupil.info]
    assert FROZEN in [each.value for each in open_page("app.py").info]
    press(pupil, "start")
    assert [each.value for each in pupil.error] == [plain(FROZEN)] and not manager().live()
    visit.switch_page("pages/2_Train.py").run()
    press(visit, "start")
    (run,) = manager().live()
    assert run.visitor.startswith("teacher/")
    manager().stop(run.id)
    manager().wait(run.id, 60)
    visit.switch_page("app.py").run()
    press(visit, "unfreeze")
    assert not manager().frozen() and "unfreeze" not in {each.key for each in visit.button}
    assert FROZEN not in [each.value for each in open_page("app.py").info]


def test_a_wrong_key_says_so_and_tries_are_bounded(open_page):
    for _ in range(teachers_key.TRIES):
        visit = open_page("pages/2_Train.py", teacher="guess")
        assert [each.value for each in visit.error] == [teachers_key.WRONG]
        assert "teacher" not in visit.query_params
    for tried in ("guess", KEY):
        visit = open_page("app.py", teacher=tried)
        assert [each.value for each in visit.error] == [teachers_key.TOO_MANY]
        assert "Teacher's view" not in headings(visit)


def test_a_right_key_forgets_the_wrong_ones(open_page):
    for tried in ["guess", "guess", "guess", "guess", KEY] * 2:
        visit = open_page("app.py", teacher=tried)
    assert "Teacher's view" in headings(visit)


def test_without_a_key_there_is_no_view(open_page, monkeypatch):
    monkeypatch.delenv("AUGURY_TEACHER_KEY")
    visit = open_page("app.py", teacher="")
    assert [each.value for each in visit.error] == [teachers_key.NO_KEY]
    monkeypatch.setattr(visitor, "place_of_address", lambda address: visitor.HERE)
    assert "Teacher's view" not in headings(open_page("app.py"))


def test_a_visit_cannot_say_that_it_is_the_teachers(open_page):
    visit = open_page("app.py")
    for said in (True, "guess", "", None):
        visit.session_state["augury.teacher"] = said
        assert "Teacher's view" not in headings(visit.run())
