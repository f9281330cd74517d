"""A run that is steered from its page: paused, changed, undone, cut and gone on with, and branched."""

import time

import pytest
from visiting import asked, manager

from core.catalogues import completed
from core.jobs.fork import forks
from core.run.edits import read_edits
from core.run.history import edits_json
from core.run.spec import RegulariserSpec, parse

PAGE = "pages/2_Train.py"
SPEC = completed(
    parse(
        {
            "name": "Steered",
            "data": {"name": "digits", "train_images": 200},
            "model": {"params": {"channels": [4], "hidden": 16}},
            "augment": {"ops": [{"op": "RandomAffine"}]},
            "regularisers": [{"kind": "l1", "strength": 1e-3}],
            "train": {"epochs": 1000, "batch_size": 16, "device": "cpu"},
        }
    )
)
SHORT = SPEC.model_copy(update={"train": SPEC.train.model_copy(update={"epochs": 2}), "name": "Short"})


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def button(visit, label):
    return next(each for each in visit.button if each.label == label)


def labels(visit):
    return [each.label for each in visit.button]


@pytest.fixture
def running(open_page):
    """A page of a run that goes on and on, and the run's id."""
    run_id = manager().submit(SPEC)
    manager().wait_for_step(run_id, 60)
    yield open_page(PAGE, run=run_id), run_id
    manager().stop(run_id)
    manager().wait(run_id, 60)


def test_pause_single_steps_resume_and_stop(running):
    visit, run_id = running
    button(visit, "Pause").click().run()
    assert manager().view(run_id).state == "paused"
    assert "Pause" not in labels(visit) and {"Resume", "One batch", "One epoch"} <= set(labels(visit))
    told = []
    for _ in range(2):  # a single step is always told
        button(visit, "One batch").click().run()
        until(lambda: manager().view(run_id).state == "paused")
        told.append(manager().view(run_id).history.step["step"])
        visit.run()
    assert told[1] == told[0] + 1
    button(visit, "One epoch").click().run()
    until(lambda: manager().view(run_id).state == "paused" and manager().view(run_id).history.epochs)
    visit.run()
    button(visit, "Resume").click().run()
    until(lambda: manager().view(run_id).state == "running")
    visit.run()
    button(visit, "Stop").click().run()
    assert manager().view(run_id).state == "stopped"
    assert {"Go on"} <= set(labels(visit)) and "Resume" not in labels(visit) and not visit.exception


def dial(visit, label):
    return next(
        each for kind in (visit.select_slider, visit.slider, visit.number_input) for each in kind
        if each.label.startswith(label)
    )  # fmt: skip


def test_a_dial_is_an_edit_that_says_when_it_takes_and_can_be_undone(running):
    visit, run_id = running
    rate = dial(visit, "Learning rate")
    assert rate.label.endswith("now]") and dial(visit, "Batch size").label.endswith("next epoch]")
    assert dial(visit, "Strength of all").value == 1.0 and dial(visit, "λ of L1").value == 1e-3
    rate.set_value(0.01).run()
    (edit,) = manager().view(run_id).history.edits
    assert edit["set"] == {"optimiser.lr": 0.01}
    assert dial(visit, "Learning rate").value == 0.01
    said = " ".join(each.value for each in visit.markdown)
    assert "learning rate 0.001 → 0.01" in said
    button(visit, "Undo").click().run()
    until(lambda: len(manager().view(run_id).history.edits) == 2)
    visit.run()
    assert manager().view(run_id).spec_now.optimiser.lr == 0.001
    assert dial(visit, "Learning rate").value == 0.001
    first = next(each for each in visit.button if each.key == "undo.each.0")
    first.click().run()  # back to what it is already
    assert len(manager().view(run_id).history.edits) == 2


def test_a_run_can_be_told_to_go_on_by_itself(running):
    visit, run_id = running
    next(each for each in visit.toggle if each.label.startswith("Go on by itself")).set_value(True).run()
    assert manager().view(run_id).resumes > 0
    next(each for each in visit.toggle if each.label.startswith("Go on by itself")).set_value(False).run()
    assert manager().view(run_id).resumes == 0


def test_what_another_tab_changes_is_seen_and_what_is_refused_is_said_and_taken_back(running):
    visit, run_id = running
    manager().command(run_id, {"command": "edit", "set": {"train.batch_size": 32}})
    until(lambda: manager().view(run_id).history.edits)
    visit.run()
    assert dial(visit, "Batch size").value == 32
    epochs = dial(visit, "Epochs")
    until(lambda: len(manager().view(run_id).history.epochs) >= 3)
    epochs.set_value(2).run()  # the page was drawn when that was still to come
    assert manager().view(run_id).spec_now.train.epochs == 1000
    assert (
        any("is under way already" in each.value for each in visit.error) or dial(visit, "Epochs").value > 2
    )


def test_a_run_that_was_stopped_goes_on(open_page):
    run_id = manager().submit(SPEC)
    until(lambda: len(manager().view(run_id).history.epochs) >= 2)
    manager().stop(run_id)
    stopped = manager().wait(run_id, 60)
    visit = open_page(PAGE, run=run_id)
    button(visit, "Go on").click().run()
    until(lambda: len(manager().view(run_id).history.epochs) > len(stopped.history.epochs) + 1)
    numbers = [event["epoch"] for event in manager().view(run_id).history.epochs]
    assert numbers == list(range(1, len(numbers) + 1)) and not visit.exception
    manager().stop(run_id)
    manager().wait(run_id, 60)


@pytest.fixture
def ended():
    run_id = manager().submit(SHORT)
    assert manager().wait(run_id, 60).state == "finished"
    return run_id


def test_a_branch_from_a_checkpoint_with_other_settings(open_page, ended):
    visit = open_page(PAGE, run=ended)
    at = next(each for each in visit.selectbox if each.label == "What if, from")
    assert at.options == ["after epoch 1 (best)", "after epoch 2"] or at.options[-1].startswith(
        "after epoch 2"
    )
    at.select_index(0).run()
    button(visit, "Choose other settings").click().run()
    assert not visit.exception
    assert (asked(visit, "from"), asked(visit, "at")) == (ended, str(forks(ended)[0].step))
    assert not any("Put " in each.label for each in visit.button)  # nothing is changed yet
    assert any("**Branch** of Short, after epoch 1" in each.value for each in visit.markdown)
    next(each for each in visit.select_slider if each.label == "Learning rate").set_value(0.01).run()
    assert any("Put learning rate back to 0.001" in each.label for each in visit.button)
    button(visit, "Start the branch").click().run()
    branch = manager().wait(asked(visit, "run"), 60)
    assert branch.name.startswith("learning rate 0.01, from epoch 1 of Short")
    assert [event["epoch"] for event in branch.history.epochs] == [2]
    visit = open_page(PAGE, run=branch.id)
    links = [each.label for each in visit.get("page_link")] if visit.get("page_link") else []
    assert any("Branch of Short after epoch 1" in each for each in links)


def test_what_a_branch_cannot_change_is_refused_in_the_form(open_page, ended):
    step = forks(ended)[0].step
    visit = open_page(PAGE, **{"from": ended, "at": str(step)})
    kinds = next(each for each in visit.selectbox if each.label == "Architecture")
    kinds.select("mlp").run()
    assert any("the same network" in each.value for each in visit.error)
    assert next(each for each in visit.button if each.label == "Start the branch").disabled
    button(visit, "A new run instead").click().run()
    assert not visit.error and "Start training" in labels(visit) and "from" not in visit.query_params


def test_a_finished_run_trains_on(open_page, ended):
    visit = open_page(PAGE, run=ended)
    next(each for each in visit.number_input if each.label.startswith("Or train on")).set_value(1).run()
    button(visit, "Train on to epoch 3").click().run()
    longer = manager().wait(asked(visit, "run"), 60)
    assert [event["epoch"] for event in longer.history.epochs] == [3] and longer.name == "Short, to epoch 3"


@pytest.mark.parametrize("query", [{"from": "f" * 32, "at": "7"}, {"from": "<b>", "at": "x" * 99}])
def test_an_address_of_a_checkpoint_that_is_not_there_says_so(open_page, query):
    visit = open_page(PAGE, **query)
    assert any("not there any more" in each.value for each in visit.error)
    assert "Start training" in labels(visit)


def test_a_run_that_had_stopped_early_trains_on_without_that_once_asked(open_page):
    patient = {"kind": "early_stopping", "params": {"patience": 1, "min_delta": 5.0}}
    stopping = RegulariserSpec.model_validate(patient)
    spec = SHORT.model_copy(update={"regularisers": (*SHORT.regularisers, stopping)})
    spec = spec.model_copy(update={"train": SPEC.train.model_copy(update={"epochs": 9})})
    run_id = manager().submit(completed(spec))
    ended = manager().wait(run_id, 60)
    last = ended.history.epochs[-1]
    assert "stop" in last and last["epoch"] < 9
    visit = open_page(PAGE, run=run_id)
    assert any("leaves early stopping out" in each.value for each in visit.caption)
    next(each for each in visit.number_input if each.label.startswith("Or train on")).set_value(2).run()
    button(visit, f"Train on to epoch {last['epoch'] + 2}").click().run()
    longer = manager().wait(asked(visit, "run"), 60)
    assert [each.kind for each in longer.spec.regularisers] == ["l1"]
    assert [e["epoch"] for e in longer.history.epochs] == [last["epoch"] + 1, last["epoch"] + 2]


def test_a_runs_changes_can_be_taken_away(running):
    visit, run_id = running
    dial(visit, "Learning rate").set_value(0.01).run()
    manager().stop(run_id)
    ended = manager().wait(run_id, 60)
    assert read_edits(edits_json(ended.history)) == [
        {"step": ended.history.edits[0]["step"], "set": {"optimiser.lr": 0.01}}
    ]
    visit.run()
    assert any(each.proto.label == "Changes (JSON)" for each in visit.get("download_button"))
