"""A finished run with the same digest is offered instead of computed again."""

import re
import shutil

import pytest
from visiting import asked, manager

from core.catalogues import completed
from core.presets import PRESETS, Preset
from core.run.address import encode
from core.run.spec import DataSpec, parse
from core.store.store import run_folder
from core.text.escape import plain
from core.text.shares import in_full
from tests import hostile

PAGE = "pages/2_Train.py"
TINY = completed(
    parse(
        {
            "name": "Tiny",
            "data": {"name": "digits", "train_images": 100},
            "model": {"arch": "mlp", "params": {"hidden": [8]}},
            "train": {"epochs": 2, "device": "cpu"},
        }
    )
)


def trained(spec=TINY):
    run_id = manager().submit(completed(spec))
    assert manager().wait(run_id, timeout=60).state == "finished"
    return run_id


def button(visit, label):
    return next(each for each in visit.button if each.label == label)


def said(visit):
    return [each.value for each in visit.info if "rained" in each.value]


def started(visit):
    return manager().wait(asked(visit, "run"), timeout=60)


def start(open_page, spec=TINY):
    visit = button(open_page(PAGE, spec=encode(spec)), "Start training").click().run()
    assert not visit.exception and not visit.error
    return visit


def test_it_is_offered_with_what_came_out_and_opened(open_page):
    run_id = trained()
    visit = start(open_page)
    assert len(manager().recent()) == 1 and "run" not in visit.query_params
    last = manager().view(run_id).history.epochs[-1]
    told = f"{in_full(last['validation_accuracy'], 359)}."
    when = r"at \d\d:\d\d"
    assert re.fullmatch(f"Already trained {when} as “Tiny”: {re.escape(told)}", said(visit)[0])
    button(visit, "Open it").click().run()
    assert not visit.exception and asked(visit, "run") == run_id
    assert re.match(f"Trained before, {when}", said(visit)[0])
    button(visit, "Train again").click().run()
    assert started(visit).id != run_id and len(manager().recent()) == 2
    assert not visit.exception and not said(visit.run())


def test_train_again_really_computes(open_page):
    run_id = trained()
    visit = start(open_page)
    button(visit, "Train again").click().run()
    again = started(visit)
    assert again.id != run_id and again.state == "finished" and len(again.history.epochs) == 2
    assert not said(visit.run())


def test_the_offer_goes_when_a_choice_changes(open_page):
    trained()
    visit = start(open_page)
    next(each for each in visit.number_input if each.label == "Epochs").set_value(1).run()
    assert not said(visit)
    button(visit, "Start training").click().run()
    assert started(visit).history.epochs[-1]["epoch"] == 1


def test_what_is_new_stopped_or_deleted_is_trained(open_page):
    run_id = trained()
    manager().delete(run_id)
    visit = start(open_page)
    assert started(visit).id != run_id
    manager().delete(asked(visit, "run"))
    long = TINY.model_copy(update={"train": TINY.train.model_copy(update={"epochs": 1000})})
    stopped = manager().submit(long)
    manager().wait_for_step(stopped, 60)
    manager().stop(stopped)
    manager().wait(stopped, 60)
    visit = start(open_page, long)
    assert asked(visit, "run") != stopped
    manager().stop(asked(visit, "run"))


def test_a_run_of_another_name_is_offered_under_that(open_page):
    trained(TINY.model_copy(update={"name": hostile.ONE_LINE}))
    visit = start(open_page)
    assert plain(hostile.ONE_LINE) in said(visit)[0] and "Tiny" not in said(visit)[0]
    button(visit, "Train again").click().run()
    assert started(visit).name == "Tiny"


def test_a_run_whose_files_are_gone_still_counts(open_page):
    run_id = trained()
    shutil.rmtree(run_folder(run_id))
    visit = start(open_page)
    button(visit, "Open it").click().run()
    assert not visit.exception and asked(visit, "run") == run_id


@pytest.fixture
def small_preset(monkeypatch):
    monkeypatch.setitem(PRESETS, "baseline", Preset("baseline", "Baseline", "Watch it.", TINY))


@pytest.mark.usefixtures("small_preset")
def test_a_preset_opens_the_run_that_is_there_and_says_so(open_page):
    visit = open_page("app.py").button(key="start.baseline").click().run()
    first = started(visit).id
    assert not said(visit.run())
    visit = open_page("app.py").button(key="start.baseline").click().run()
    assert not visit.exception and asked(visit, "run") == first and len(manager().recent()) == 1
    assert said(visit)[0].startswith("Trained before, at ")
    assert not said(open_page(PAGE, run=first))  # another visitor's link
    button(visit, "Train again").click().run()
    assert started(visit).id != first


@pytest.mark.usefixtures("small_preset")
def test_what_is_said_of_one_run_is_not_said_of_the_next(open_page):
    trained()
    other = trained(TINY.model_copy(update={"seed": 1}))
    visit = open_page("app.py").button(key="start.baseline").click().run()
    assert said(visit)
    visit.query_params["run"] = other
    assert not said(visit.run())


def test_a_folder_of_this_machine_may_hold_other_images_by_now(tmp_path, home):
    spec = TINY.model_copy(update={"data": DataSpec(name="folder", path=str(tmp_path))})
    assert manager().already(spec) is None
