"""A run's page for who started it, for a watcher, and for whoever has the control link."""

import ast
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from visiting import manager

from core.jobs.rights import ONLY_WATCH
from core.presets import PRESETS
from core.text.escape import plain
from pages.features.frame import share, visitor

LONG = PRESETS["baseline"].spec
PAGES = Path(__file__).parents[2] / "pages"
STEERING = {
    "stop", "stop_waiting", "command", "resume", "resume_by_itself", "new_control_key", "rename", "annotate",
    "star", "delete", "restore",
}  # fmt: skip


@pytest.fixture
def at(monkeypatch):
    """Has the visits that are opened from now on come from a place of a network."""
    monkeypatch.setattr(share, "_for_others", lambda host: ("192.168.1.5", True))

    def move(place):
        monkeypatch.setattr(visitor, "place_of_address", lambda address: place)
        # Each visit of AppTest has the same id.
        monkeypatch.setattr(visitor, "get_script_run_ctx", lambda: SimpleNamespace(session_id=place))

    return move


@pytest.fixture
def started(open_page, at):
    """A run that a visitor at home has started, and his visit."""
    at("home")
    visit = open_page("pages/2_Train.py")
    button(visit, "Start training").click().run()
    (run,) = manager().live()
    yield run.id, visit
    manager().stop(run.id)
    manager().wait(run.id, 60)


def button(visit, label):
    return next(each for each in visit.button if each.label == label)


def labels(visit):
    return {each.label for each in visit.button}


def links(visit):
    """The shown links' queries."""
    return [parse_qs(urlsplit(each.value).query) for each in visit.code if "?" in each.value]


def test_who_starts_a_run_gets_a_link_to_watch_and_one_to_control(started, open_page, at):
    run_id, visit = started
    watch, control = links(visit)
    assert watch == {"run": [run_id]} and set(control) == {"run", "control"}
    assert "control" not in visit.query_params and "Stop" in labels(visit)
    at("elsewhere")
    watcher = open_page("pages/2_Train.py", run=run_id)
    assert not {"Stop", "Make a control link", "New control link"} & labels(watcher)
    assert links(watcher) == [{"run": [run_id]}]
    phone = open_page("pages/2_Train.py", run=run_id, control=control["control"][0])
    assert links(phone) == [watch, control]  # the link for watchers has no key in it
    button(phone, "Stop").click().run()
    assert manager().wait(run_id, 60).state == "stopped"


def test_a_new_control_link_ends_the_one_before(started, open_page, at):
    run_id, visit = started
    old = links(visit)[1]["control"][0]
    at("elsewhere")
    phone = open_page("pages/2_Train.py", run=run_id, control=old)
    button(phone, "New control link").click().run()
    new = links(phone)[1]["control"][0]
    assert new != old and "Stop" in labels(phone)
    before = open_page("pages/2_Train.py", run=run_id, control=old)
    assert "Stop" not in labels(before)
    assert any("control link" in each.value for each in before.warning)


def test_a_click_that_was_a_right_when_it_was_drawn_is_refused_in_a_sentence(started, at):
    run_id, visit = started
    at("elsewhere")
    button(visit, "Stop").click().run()
    assert not visit.exception and [each.value for each in visit.error] == [plain(ONLY_WATCH)]
    assert manager().view(run_id).state == "running"


def test_a_reload_still_controls_and_can_have_a_new_link(started, open_page):
    run_id, _ = started
    visit = open_page("pages/2_Train.py", run=run_id)
    assert len(links(visit)) == 1
    button(visit, "New control link").click().run()
    assert set(links(visit)[1]) == {"run", "control"}


def test_pages_say_for_whom_they_ask():
    """Nothing that steers a run is asked for in Augury's own name: that would be refused to nobody."""
    seen, wrong = set(), []
    for path in sorted(PAGES.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        named = [node for call in ast.walk(tree) if isinstance(call, ast.Call) for node in _asked(call)]
        for node in ast.walk(tree):
            if _steers(node):
                seen.add(node.attr)
                if not any(node is each for each in named):
                    wrong.append(f"{path.name}:{node.lineno} {node.attr}")
    assert not wrong, wrong
    assert {"stop", "rename", "delete"} <= seen


def _steers(node):
    of_jobs = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call)
    return of_jobs and getattr(node.value.func, "id", "") == "jobs" and node.attr in STEERING


def _asked(call):
    """What a call asks for in the visitor's name."""
    given = [*call.args, *(each.value for each in call.keywords)]
    name = getattr(call.func, "id", "")
    if _steers(call.func) and any(
        getattr(getattr(each, "func", None), "id", "") == "asker" for each in given
    ):
        yield call.func
    if name in ("ask", "obeyed"):
        yield call.args[0]
    told = {each.arg: each.value for each in call.keywords}
    if getattr(told.get("on_click"), "id", "") == "ask" or getattr(told.get("on_change"), "id", "") == "ask":
        yield told["args"].elts[0]
