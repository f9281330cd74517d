"""Who looks at a page, as the queue knows people."""

import pytest

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
