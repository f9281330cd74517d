"""Where a limit is set, forms show it, and a start that passes it is refused in a sentence."""

import pytest
from visiting import manager

from core.text.escape import plain
from pages.features.frame import visitor

SAID = "At most 3 epochs, 9 minutes a run; 2 waiting runs a visitor."


@pytest.fixture(autouse=True)
def limits(tmp_path, monkeypatch):
    (tmp_path / "limits.json").write_text('{"epochs": 3, "minutes": 9, "waiting": 2}')
    monkeypatch.setenv("AUGURY_LIMITS", str(tmp_path / "limits.json"))


def shown(visit):
    return [each.value for each in visit.caption if SAID in each.value]


def test_a_visitor_reads_the_limits_and_is_held_to_them(open_page, monkeypatch):
    monkeypatch.setattr(visitor, "place_of_address", lambda address: "school")
    visit = open_page("pages/2_Train.py")
    assert len(shown(visit)) == 2  # beside the epochs, and above the plan
    next(each for each in visit.button if each.key == "start").click().run()
    assert [each.value for each in visit.error] == [
        plain("Budget, epochs: at most 3 are allowed on this server.")
    ]
    assert not manager().live()


def test_at_the_server_itself_nothing_is_in_the_way(open_page):
    visit = open_page("pages/2_Train.py")
    assert not shown(visit)
    next(each for each in visit.button if each.key == "start").click().run()
    (run,) = manager().live()
    assert not visit.error
    manager().stop(run.id)
    manager().wait(run.id, 60)
