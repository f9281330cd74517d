"""Presenter size stays for a visit, and in no link to others."""

from pages.features.frame.size import PRESENTER


def is_large(visit):
    return any("clamp(" in each.proto.body for each in visit.get("html"))


def test_an_address_turns_it_on_and_it_stays_from_page_to_page(open_page):
    visit = open_page("pages/2_Train.py", size=PRESENTER)
    assert is_large(visit)
    assert not any("size=" in each.value for each in visit.code)
    del visit.query_params["size"]
    visit.switch_page("pages/1_Augment.py").run()
    assert is_large(visit)
    assert PRESENTER in visit.query_params["size"]


def test_a_switch_in_share_turns_it_on_and_off(open_page):
    visit = open_page("pages/2_Train.py")
    assert not is_large(visit)
    visit.toggle(key="share.size").set_value(True).run()
    assert is_large(visit) and PRESENTER in visit.query_params["size"]
    visit.toggle(key="share.size").set_value(False).run()
    assert not is_large(visit) and "size" not in visit.query_params
