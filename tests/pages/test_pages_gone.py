"""A stored run that names what this version of Augury no longer has: every page stands, and says its name."""

import copy
import json

import pytest
import sqlalchemy as sa
from test_pages_run import PAGE, SPEC, components, stored, texts
from visiting import RUN_PARTS, place, spec_of

from core.catalogues import bounded, mended
from core.run.spec import RunSpec, parse
from core.store.store import Store
from core.store.tables import runs
from core.text.advice import advise
from tests import made_up_run

GONE = {
    "architecture": {"model": {"arch": "oldnet", "params": {"channels": [8]}}},
    "architecture's parameter": {"model": {"arch": "cnn", "params": {"oldsize": 3}}},
    "operation": {"augment": {"ops": [{"op": "OldFlip"}, {"op": "RandomAffine"}], "choose": 2}},
    "mix": {"augment": {"mix": {"op": "OldMix"}}},
    "regulariser": {
        "regularisers": [{"kind": "oldnorm", "strength": 3.0}, {"kind": "oldstop"}, {"kind": "l2"}]
    },
    "optimiser": {"optimiser": {"kind": "oldgrad"}},
    "dataset": {"data": {"name": "olddigits"}},
}


NAMES = {
    "architecture": "oldnet",
    "architecture's parameter": "oldsize",
    "operation": "OldFlip",
    "mix": "OldMix",
    "regulariser": "oldnorm",
    "optimiser": "oldgrad",
    "dataset": "olddigits",
}


def spec_with(sort: str) -> RunSpec:
    return parse({**json.loads(SPEC.to_json()), "name": "", **GONE[sort]})


@pytest.mark.parametrize("sort", GONE)
def test_every_page_and_tab_stands_and_the_run_is_called_by_its_name(open_page, sort):
    run_id = stored(spec=spec_with(sort))
    for page in ("app.py", "pages/1_Augment.py", PAGE):
        assert not open_page(page).error
    for part in RUN_PARTS:
        visit = open_page(PAGE, run=run_id, **place(part))
        assert not visit.error
    visit = open_page("pages/3_Runs.py", view="Chart")
    runs = components(visit)["runs"]["figure"]["data"]
    assert run_id in [each for trace in runs for each in trace.get("ids", ())]
    if sort not in ("architecture's parameter", "optimiser"):  # of which a run's line says nothing
        visit = open_page(PAGE, run=run_id)
        assert NAMES[sort].lower() in (texts(visit) + visit.title[0].value).lower()


@pytest.mark.parametrize("sort", GONE)
def test_to_train_again_starts_from_the_default_and_says_what_is_gone(open_page, sort):
    visit = open_page(PAGE, run=stored(spec=spec_with(sort)))
    next(each for each in visit.button if each.label.startswith("Change something")).click().run()
    assert not visit.exception and not visit.error
    assert NAMES[sort] in visit.warning[0].value and "another version" in visit.warning[0].value
    assert bounded(spec_of(visit)) and "old" not in spec_of(visit).to_json().lower()
    assert next(each for each in visit.button if each.label == "Start training").disabled is False
    visit.run()
    assert not visit.warning


def test_a_spec_of_this_version_is_left_as_it_is(open_page):
    assert mended(SPEC) == (SPEC, [])
    visit = open_page(PAGE, run=stored())
    next(each for each in visit.button if each.label.startswith("Change something")).click().run()
    assert not visit.exception and not visit.warning


def test_only_what_is_gone_goes():
    spec, said = mended(spec_with("operation"))
    assert [op.op for op in spec.augment.ops] == ["RandomAffine"] and spec.augment.choose is None
    assert len(said) == 1 and "OldFlip is left out" in said[0]
    spec, said = mended(spec_with("regulariser"))
    assert [each.kind for each in spec.regularisers] == ["l2"] and len(said) == 2


def test_a_run_with_a_schedule_that_is_gone_is_shown(open_page):
    run_id = stored()
    store = Store()
    text = json.dumps({**json.loads(SPEC.to_json()), "optimiser": {"kind": "adamw", "schedule": "oldsteps"}})
    with store.engine.begin() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run_id).values(spec=text))
    store.close()
    assert not open_page("app.py").error
    visit = open_page(PAGE, run=run_id)
    assert not visit.error and "**Accuracy**" in texts(visit)


def test_measures_and_penalties_that_are_gone_break_no_tab(open_page):
    events = copy.deepcopy(made_up_run.events())
    for event in events:
        for name in ("penalties", "strengths"):
            if name in event:
                event[name]["oldnorm"] = 0.5
        if event["event"] == "epoch":
            rows = (event["sparsity"], *event["sparsity"]["layers"].values())
            for row in rows:
                row["oldmeasure"] = 0.5
    run_id = stored(events, spec=spec_with("regulariser"))
    for part in RUN_PARTS:
        visit = open_page(PAGE, run=run_id, **place(part))
        assert not visit.error
    visit = open_page(PAGE, run=run_id)
    assert "λ of oldnorm" in [t["name"] for t in components(visit)["loss"]["figure"]["data"]]


@pytest.mark.parametrize("strength", [0.0, 3.0])
def test_advice_knows_no_default_of_what_is_gone(strength):
    spec = parse({"regularisers": [{"kind": "oldnorm", "strength": strength}]})
    event = made_up_run.epoch_event(1) | {"penalty": 1e6, "validation_loss": 2.0}
    said = advise(event, spec)
    assert "oldnorm" in said and ("Try 0.3" in said) == (strength > 0)
