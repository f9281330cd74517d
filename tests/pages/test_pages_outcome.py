"""After a run: one sentence of numbers, compared with the closest run, and what to do next."""

import time
import uuid

from visiting import asked, manager

from core.catalogues import completed
from core.presets import preset
from core.run.digest import digest
from core.run.history import build_history, summary
from core.run.spec import RegulariserSpec, parse
from core.store.store import Store
from core.text.escape import plain
from core.text.same_but import same_but
from tests import made_up_run

PAGE = "pages/2_Train.py"
SPEC = parse({"name": "Mine", "data": {"name": "digits"}, "train": {"epochs": made_up_run.EPOCHS}})
L1 = (RegulariserSpec(kind="l1", strength=1e-3),)


def stored(spec, right="ffff00", *, at, visitor="here/a", state="finished"):
    """A finished run in the store; ``right`` has a bit for each of its 20 validation images."""
    events = [
        event
        | (
            {"right": right, "validation_accuracy": int(right, 16).bit_count() / 20}
            if event["event"] == "epoch"
            else {}
        )
        for event in made_up_run.events()
    ]
    numbered = list(enumerate(events, 1))
    store, run_id, spec = Store(), uuid.uuid4().hex, completed(spec)
    made_up_run.create(store, run_id, spec, time.time() + at, visitor=visitor, digest=digest("train", spec))
    store.append(run_id, numbered)
    told = summary(build_history(numbered).history())
    store.set_state(run_id, state, summary=told, started_at=time.time(), finished_at=time.time())
    store.close()
    return run_id


def said(visit):
    """The sentence's text and hint; empty if there is none."""
    assert not visit.exception
    found = [each for each in visit.markdown if each.proto.help and "alidation accuracy" in each.value]
    return (found[0].value, found[0].proto.help) if found else ("", "")


def test_a_run_is_compared_with_the_one_before_it(open_page):
    stored(SPEC, at=-20)
    stored(SPEC.model_copy(update={"regularisers": L1, "name": "Other"}), at=-10, visitor="pupil/b")
    now = stored(SPEC.model_copy(update={"regularisers": L1, "name": ""}), "fffe00", at=0)
    sentence, hint = said(open_page(PAGE, run=now))
    assert plain("L1 0.001 instead of none: validation accuracy 5.0 points lower than “Mine”") in sentence
    assert "within the noise of these images" in sentence and "3 seeds" in sentence
    assert "same 20 validation images" in hint and "Tango" in hint


def test_the_closest_is_the_baseline_if_that_was_trained_here(open_page):
    baseline = completed(preset("baseline"))
    stored(baseline, at=-30, visitor="pupil/b")
    stored(baseline.model_copy(update={"regularisers": L1, "seed": 4, "name": "Far"}), at=-20)
    short = baseline.train.model_copy(update={"epochs": 3})
    now = baseline.model_copy(update={"name": "Near", "train": short})
    sentence, _ = said(open_page(PAGE, run=stored(now, at=0)))
    assert sentence.startswith("**3 instead of") and "the same as “Baseline”" in sentence


def test_without_another_it_says_its_own_numbers(open_page):
    other_images = SPEC.model_copy(update={"data": SPEC.data.model_copy(update={"name": "arrows"})})
    stored(other_images, at=-10)
    sentence, _ = said(open_page(PAGE, run=stored(SPEC, at=0)))
    assert "80.0 % (16 of 20; 58–92)" in sentence and "Change one thing" in sentence


def test_a_run_that_was_stopped_is_not_judged(open_page):
    run_id = stored(SPEC, at=0)
    manager()  # the events say it finished; the row has the last word for lists only
    assert said(open_page(PAGE, run=run_id))[0]
    numbered = list(enumerate([*made_up_run.events()[:-1], {"event": "state", "state": "stopped"}], 1))
    store, stopped = Store(), uuid.uuid4().hex
    made_up_run.create(store, stopped, SPEC, time.time())
    store.append(stopped, numbered)
    store.set_state(stopped, "stopped")
    store.close()
    assert said(open_page(PAGE, run=stopped)) == ("", "")


def test_the_same_run_but_for_one_thing_is_one_press_away(open_page):
    first = stored(SPEC, at=-20)
    page = open_page(PAGE, run=first)
    changes = {each.label for each in page.button if (each.key or "").startswith("same_but.")}
    assert {"Another seed, 1", "Without dropout", "Recurrent network"} <= changes
    next(each for each in page.button if each.label == "Without dropout").click().run()
    begun = manager().view(asked(page, "run"))
    assert begun.id != first
    before = completed(SPEC)
    assert begun.spec.model.params == {**before.model.params, "dropout": 0.0}
    assert begun.spec.regularisers == before.regularisers
    assert (begun.spec.seed, begun.spec.split_seed) == (before.seed, before.split_seed)


def test_a_change_that_was_trained_before_is_opened(open_page):
    first = stored(SPEC, at=-20)
    page = open_page(PAGE, run=first)
    spec = next(each.spec for each in same_but(completed(SPEC)) if each.words == "without dropout")
    second = stored(spec, at=-10)
    next(each for each in page.button if each.label == "Without dropout").click().run()
    assert asked(page, "run") == second
    assert any("Trained before" in each.value for each in page.info)


def test_of_the_runs_before_the_closest_is_compared(open_page):
    """Two changes were tried on one run: each is held against that run, and not against the other."""
    stored(SPEC.model_copy(update={"name": "Origin"}), at=-30)
    stored(SPEC.model_copy(update={"name": "Other", "regularisers": L1, "seed": 4}), at=-20)
    optimiser = completed(SPEC).optimiser.model_copy(update={"lr": 0.003})
    now = stored(SPEC.model_copy(update={"name": "", "optimiser": optimiser}), at=0)
    assert "“Origin”" in said(open_page(PAGE, run=now))[0]
