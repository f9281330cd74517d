"""The landing page: it says what this is, shows the families, and starts a preset in one click."""

import pytest
from visiting import asked, manager

from core.presets import PRESETS


def test_it_offers_every_preset(open_page):
    visit = open_page("app.py")
    assert visit.title[0].value == "Augury"
    labels = {button.label for button in visit.button}
    assert {preset.title for preset in PRESETS.values()} <= labels


def test_one_click_starts_a_preset_and_lands_on_the_live_page(open_page):
    visit = open_page("app.py")
    next(each for each in visit.button if each.label == "L1 makes it sparse").click().run()
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


@pytest.mark.parametrize("page", ["app.py", "pages/1_Augment.py", "pages/2_Train.py"])
def test_any_page_can_be_the_first_that_is_opened(open_page, page):
    assert open_page(page).title
