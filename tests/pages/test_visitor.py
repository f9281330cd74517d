"""Who looks at a page, as the queue knows people."""

from types import SimpleNamespace

import pytest

from core.jobs.rights import Asker, may_control, who
from core.jobs.turns import place_of
from pages.features.frame import visitor
from tests.pages.visiting import manager


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),
        (None, "192.168.1.5", False),
        ("192.168.1.5", "192.168.1.5", True),
        ("192.168.1.5", "192.168.1.6", False),
        ("2001:db8:1:2::5", "2001:db8:1:2:ffff::6", True),
        ("2001:db8:1:2::5", "2001:db8:1:3::5", False),
        ("::ffff:192.168.1.5", "192.168.1.5", True),  # as a server that listens to both kinds sees it
        ("::ffff:192.168.1.5", "::ffff:192.168.1.6", False),
        (None, "::ffff:192.168.1.5", False),
        ("unix:", "unix:", True),
    ],
)
def test_a_place_is_an_address_or_half_of_it(monkeypatch, one, other, same):
    monkeypatch.setattr(visitor.runtime, "exists", lambda: True)

    def place(address):
        monkeypatch.setattr(type(visitor.st.context), "ip_address", address)
        assert len(visitor.visitor()) <= 64 and visitor.is_teacher() == (address is None)
        return visitor.place()

    assert (place(one) == place(other)) == same


def test_a_loopback_is_this_machine_however_it_is_written():
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", ""):
        assert visitor.place_of_address(address) == visitor.HERE


def test_machines_of_one_ipv6_network_are_one_place_and_not_each_others_owners(monkeypatch):
    monkeypatch.setattr(visitor.runtime, "exists", lambda: True)

    def come_from(address):
        monkeypatch.setattr(type(visitor.st.context), "ip_address", address)
        return visitor.visitor()

    mine, other, again = (come_from(f"fd00::{end}") for end in (2, 3, 2))
    run = SimpleNamespace(visitor=mine, control=None)
    assert place_of(mine) == place_of(other) and len(mine) <= 64
    assert may_control(run, Asker(again)) and not may_control(run, Asker(other))


def test_a_run_knows_whose_it_is(open_page):
    visit = open_page("pages/2_Train.py")
    next(each for each in visit.button if each.label == "Start training").click().run()
    (run,) = manager().recent(1)
    assert run.visitor.startswith(f"{visitor.HERE}/") and len(run.visitor) > 20
    manager().stop(run.id)


def test_only_this_machine_empties_the_queue(open_page, monkeypatch):
    from core.presets import PRESETS

    ids = [manager().submit(PRESETS["baseline"].spec, visitor=f"a/{i}") for i in range(3)]
    monkeypatch.setattr(visitor, "place_of_address", lambda address: "elsewhere")
    assert not [each for each in open_page("app.py").button if each.key == "stop_waiting"]
    monkeypatch.setattr(visitor, "place_of_address", lambda address: visitor.HERE)
    visit = open_page("app.py")
    (button,) = [each for each in visit.button if each.key == "stop_waiting"]
    assert button.label == "Stop 2 runs"
    button.click().run()
    states = [manager().view(each).state for each in ids]
    assert states[1:] == ["stopped", "stopped"] and states[0] == "running"
    manager().stop(ids[0])


@pytest.mark.parametrize(
    ("started_by", "seen_as", "by"),
    [
        ("pupil/1", "pupil/1", "starter"),
        ("pupil/1", "pupil/2", "address"),
        ("pupil/1", "other/3", "visitor"),
        ("pupil/1", "here/9", "server"),
        ("here/8", "here/9", "server"),
        ("here/9", "here/9", "starter"),
        ("", "pupil/1", "visitor"),
        ("pupil/1", "teacher/4", "teacher"),
    ],
)
def test_who_stops_a_run_is_known_by_place_and_visit(started_by, seen_as, by):
    assert who(started_by, Asker(seen_as)) == by


def test_a_run_says_who_has_stopped_it_and_no_address(open_page):
    visit = open_page("pages/2_Train.py")
    next(each for each in visit.number_input if each.label == "Epochs").set_value(1000).run()
    next(each for each in visit.button if each.label == "Start training").click().run()
    (run,) = manager().recent(1)
    next(each for each in visit.button if each.label == "Stop").click().run()
    assert manager().wait(run.id, timeout=60).state == "stopped"
    ended = open_page("pages/2_Train.py", run=run.id)
    (said,) = [each.value for each in ended.info if "Stopped" in each.value]
    assert "Stopped by whoever started it" in said and run.visitor.partition("/")[2] not in said
