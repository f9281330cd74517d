"""Several processes on the pages: the dials, and what they bring beside one process, measured."""

import time
import uuid

from visiting import spec_of

from core.catalogues import completed
from core.run.address import encode
from core.run.digest import digest
from core.run.history import build_history, summary
from core.run.spec import parse
from core.store.store import Store
from core.text.processes import by_one_process
from tests import made_up_run

PAGE = "pages/2_Train.py"
TRAIN = {"epochs": made_up_run.EPOCHS, "processes": 2, "gradient_precision": "bfloat16"}
SPEC = completed(parse({"name": "Two", "data": {"name": "digits"}, "train": TRAIN}))


def stored(spec, rates, *, factor=1.0, **started):
    """A finished run whose epochs trained so many images a second, with losses larger by a factor."""
    told = []
    for event in made_up_run.events():
        if event["event"] == "started":
            event = event | started
        if event["event"] == "epoch":
            event = event | {
                "images_per_second": rates[event["epoch"] % len(rates)],
                "train_loss": event["train_loss"] * factor,
            }
            if started.get("processes"):
                event["exchanged_bytes"] = 12_345
        told.append(event)
    numbered = list(enumerate(told, 1))
    store, run_id = Store(), uuid.uuid4().hex
    made_up_run.create(store, run_id, spec, time.time(), visitor="here/a", digest=digest("train", spec))
    store.append(run_id, numbered)
    figures = summary(build_history(numbered).history())
    store.set_state(run_id, "finished", summary=figures, started_at=time.time(), finished_at=time.time())
    store.close()
    return run_id


def shown(visit):
    assert not visit.exception
    return [each.value for each in visit.dataframe if "processes × threads" in each.value.columns]


def start_buttons(visit):
    return [each for each in visit.button if each.label == "Train it with one process"]


def test_without_the_run_of_one_process_nothing_is_claimed(open_page):
    visit = open_page(PAGE, run=stored(SPEC, [300.0], processes=2, threads=1), look="Measures")
    (table,) = shown(visit)
    assert table["speed-up"].tolist() == ["–"] and table["images/s"].tolist() == ["300"]
    assert len(start_buttons(visit)) == 1


def test_the_run_is_held_against_the_same_one_of_one_process(open_page):
    stored(by_one_process(SPEC), [200.0], threads=2)
    visit = open_page(
        PAGE, run=stored(SPEC, [300.0, 100.0, 300.0], factor=1.0001, processes=2, threads=1), look="Measures"
    )
    (table,) = shown(visit)
    assert table["processes × threads"].tolist() == ["2 × 1", "1 × 2"]
    assert table["speed-up"].tolist() == ["1.50", "1.00"] and table["efficiency"].tolist() == ["75%", "100%"]
    assert table["bytes exchanged a step"].tolist() == ["12,345", "–"]
    assert any("differ by at most 1.0e-04" in each.value for each in visit.caption)
    assert not start_buttons(visit)


def test_a_run_of_another_machine_says_nothing_of_the_speed_here(open_page):
    stored(by_one_process(SPEC), [200.0], threads=2, device_name="Another")
    visit = open_page(PAGE, run=stored(SPEC, [300.0], processes=2, threads=1), look="Measures")
    assert shown(visit)[0]["speed-up"].tolist() == ["–"]


def test_a_run_of_one_process_has_no_such_part(open_page):
    visit = open_page(PAGE, run=stored(by_one_process(SPEC), [200.0], threads=2), look="Measures")
    assert not shown(visit) and not start_buttons(visit)


def test_gradients_have_a_dial_where_they_are_exchanged(open_page):
    def dials(visit):
        return [each for each in visit.segmented_control if each.label == "Gradients exchanged in"]

    visit = open_page(PAGE, spec=encode(SPEC))
    (dial,) = dials(visit)
    dial.set_value("float32").run()
    assert not visit.exception and spec_of(visit).train.gradient_precision == "float32"
    assert not dials(open_page(PAGE, spec=encode(by_one_process(SPEC))))


def test_a_link_with_more_processes_than_this_machine_has_cores_opens(open_page):
    many = SPEC.model_copy(update={"train": SPEC.train.model_copy(update={"processes": 8})})
    visit = open_page(PAGE, spec=encode(many))
    assert not visit.exception
    (dial,) = [each for each in visit.number_input if each.label == "Processes"]
    assert dial.value == 8
