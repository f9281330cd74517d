"""The Compress tab: a network is made smaller in each way, and its costs stand beside the original's."""

from __future__ import annotations

import re

import pytest

from core.catalogues import completed
from core.run.errors import SpecError
from core.run.made import is_made
from core.run.spec import parse
from core.transform.catalogue import TRANSFORMS
from core.transform.plan import Asked
from tests.pages.visiting import manager

PAGE = "pages/2_Train.py"
SMALL = {
    "data": {"name": "digits", "split_seed": 0},
    "model": {"arch": "mlp", "params": {"hidden": [16]}},
    "train": {"epochs": 2, "device": "cpu"},
}


WORDS = {
    "prune": "90 % of weights pruned",
    "shrink": "Shrunk",
    "quantise": "4 bits",
    "merge": "Merged",
    "distil": "Distilled",
}


def trained(**changes):
    run_id = manager().submit(completed(parse(SMALL | changes)))
    assert manager().wait(run_id, 60).state == "finished"
    return run_id


def texts(visit):
    drawn = [*visit.markdown, *visit.caption, *visit.info, *visit.warning, *visit.error]
    return "\n".join(str(each.value) for each in drawn)


def made_of(run_id):
    return [run for run in manager().children(run_id) if is_made(run.inputs)]


def opened(open_page, run_id, how="prune"):
    return open_page(PAGE, run=run_id, look="Compress", way=TRANSFORMS[how].title)


@pytest.mark.parametrize("how", TRANSFORMS)
def test_each_way_makes_a_run_of_its_own(open_page, how):
    run_id = trained(name="Whole")
    if TRANSFORMS[how].fewest > 1:
        trained(seed=2, data={"name": "digits", "split_seed": 1})  # judged by images that this one learned
        assert "no other run to merge it with" in texts(opened(open_page, run_id, how))
        trained(seed=1)
    visit = opened(open_page, run_id, how)
    assert "every network that is made of this one" in texts(visit) and not visit.exception
    visit.button(key=f"compress.{how}.make it").click().run()
    assert not visit.exception and not visit.error, visit.error
    (run,) = made_of(run_id)
    assert manager().wait(run.id, 60).state == "finished"
    visit = opened(open_page, run_id, how)
    (networks, *_) = visit.dataframe
    assert len(networks.value) == 2 and networks.value["network"][0] == "Whole (this one)"
    child = manager().view(run.id)
    own = next(row for row in child.history.rows if row.get("table") == "costs" and row["place"] is None)
    assert f"{own['multiply_adds']:,}" == networks.value["multiply-adds"][1]
    assert f"{own['parameters'] - own['zeros']:,}" == networks.value["numbers left"][1]
    visit = opened(open_page, run.id)  # and further from there
    assert not visit.exception and "Made of Whole" in [each.label for each in visit.get("page_link")]
    said = texts(open_page(PAGE, run=run.id))
    assert "made of another run's network" in said and "no Zeros" not in said
    assert re.search(rf"\*\*{WORDS[how]}(, \d epochs more)?\\: validation accuracy", said)
    assert networks.value[""][1].endswith(f"run={run.id}&look=Compress")
    own_time = re.fullmatch(r"[\d.]+ % \(\d+–\d+\)", networks.value.iloc[1, -2])
    assert own_time and float(networks.value["µs an image"][1].replace(",", "")) > 0
    for tab in ("Overview", "Sparsity", "Inside", "Take away"):
        assert not open_page(PAGE, run=run.id, look=tab).exception


def test_a_run_that_goes_says_when_and_a_made_one_is_compared_and_listed(open_page):
    run_id = trained()
    made = manager().make("quantise", Asked.model_validate({"from": (run_id,), "params": {"bits": 2}}))
    assert manager().wait(made, 60).state == "finished"
    assert not open_page("pages/3_Runs.py", runs=f"{run_id},{made}").exception
    visit = open_page("pages/3_Runs.py")
    assert not visit.exception and any(run.id == made for run in manager().recent())
    for page in ("pages/4_Studies.py",):
        assert not open_page(page, about=made).exception


def test_what_is_made_waits_for_nobody_and_repeats(home):
    run_id = trained()
    asked = Asked.model_validate({"from": (run_id,), "params": {"share": 0.5}})
    one, other = (manager().make("prune", asked) for _ in range(2))
    views = [manager().wait(each, 60) for each in (one, other)]
    assert {view.kind for view in views} == {"transform"}
    shown = [view.history.epochs[0] for view in views]
    assert shown[0]["right"] == shown[1]["right"] and shown[0]["epoch"] == 0
    assert manager().store.run(one).digest == manager().store.run(other).digest


@pytest.mark.parametrize(
    ("how", "asked", "says"),
    [
        ("prune", {"from": ("0" * 32,)}, "not there any more"),
        ("prune", {"from": ("../../etc",)}, "not there any more"),
        ("merge", {}, "takes 2 to 8 runs"),
        ("magic", {}, "no transform called"),
    ],
)
def test_what_can_not_be_made_is_refused(home, how, asked, says):
    run_id = trained()
    with pytest.raises(SpecError, match=says):
        manager().make(how, Asked.model_validate({"from": (run_id,), **asked}))


def test_a_network_that_is_trained_on_is_stopped_and_goes_on_with_its_tables(home):
    """Its weights at its end are those of one that was never stopped; what was done is told once."""
    run_id = trained()
    asked = Asked.model_validate({"from": (run_id,), "params": {"share": 0.5}, "train": {"epochs": 400}})
    one, other = (manager().make("prune", asked) for _ in range(2))
    while not any(
        event["event"] == "epoch" and event["epoch"] > 0 for event in manager().view(one).history.epochs
    ):
        assert not manager().view(one).ended
    manager().stop(one)
    assert manager().wait(one, 60).state == "stopped"
    manager().resume(one)
    views = [manager().wait(each, 120) for each in (one, other)]
    assert [view.state for view in views] == ["finished", "finished"]
    cut, whole = ([{**row, **dict.fromkeys(TIMES)} for row in view.history.rows] for view in views)
    assert cut == whole and [row["layer"] for row in cut if row["table"] == "layers"] == ["fc1", "fc2"]


TIMES = ("microseconds", "microseconds_alone", "times", "times_low", "times_high")


def test_a_parent_of_several_processes_has_children_of_one(home):
    run_id = trained(train={"epochs": 2, "device": "cpu", "processes": 2})
    for epochs in (0, 1):
        asked = Asked.model_validate({"from": (run_id,), "train": {"epochs": epochs}})
        view = manager().wait(manager().make("prune", asked), 60)
        assert view.state == "finished" and view.spec.train.processes == 1


def test_every_point_counts_the_numbers_that_are_left_in_its_file(home):
    """Of those that were made and of another run that came by its zeros itself, alike."""
    from safetensors.torch import load_file

    from core.store.store import run_folder
    from pages.features.compress.family import family, points

    run_id = trained()
    sparse = trained(regularisers=[{"kind": "l1", "strength": 0.05}], name="Sparse")
    trained(model={"arch": "mlp", "params": {"hidden": [8]}}, name="Another network")
    made = manager().make("prune", Asked.model_validate({"from": (run_id,)}))
    assert manager().wait(made, 60).state == "finished"
    found = {point.id: point for point in points(family(manager().view(made)))}
    assert found.keys() == {run_id, made, sparse} and found[sparse].kind == "other"
    for each, point in found.items():
        weights = load_file(run_folder(each) / "weights.safetensors")
        assert point.left == sum(int((value != 0).sum()) for value in weights.values())
    assert found[sparse].left < 0.9 * found[run_id].left and found[run_id].time == 1.0


def test_a_smaller_network_is_not_offered_to_be_merged_with(open_page):
    run_id = trained()
    asked = Asked.model_validate({"from": (run_id,), "params": {"what": "units", "share": 0.5}})
    assert manager().wait(manager().make("prune", asked), 60).state == "finished"
    assert "no other run to merge it with" in texts(opened(open_page, run_id, "merge"))
    for epochs in (0, 1):  # one that was not trained on has this one's own weights
        asked = Asked.model_validate({"from": (run_id,), "train": {"epochs": epochs}})
        assert manager().wait(manager().make("quantise", asked), 60).state == "finished"
    (others,) = (box for box in opened(open_page, run_id, "merge").multiselect if "Merge" in box.label)
    assert len(others.options) == 1


@pytest.mark.parametrize(
    "row",
    [
        {"table": "layers"},
        {"table": "layers", "layer": 3, "what": [], "kept": -1, "of": "x"},
        {"table": "costs", "place": 0, "accuracy": 7},
        {"table": "costs", "place": None, "accuracy": 0.5, "loss": 1e301, "images": 0},
        {"table": "path", "way": "x", "at": 2},
        {"table": "compared", "what": "<b>", "accuracy": 0.5},
        {"table": "why", "says": {"a": 1}},
        {"table": "soft labels", "classes": 1},
        {
            "table": "soft labels",
            "place": 1,
            "label": "7",
            "classes": ["7"],
            "hard": [1.0],
            "soft": [1.0],
            "image": '"onerror=alert(1)',
        },
        {"table": ["layers"]},
    ],
)
def test_rows_that_are_damaged_hide_nothing_else(open_page, row):
    run_id = trained()
    made = manager().make("prune", Asked.model_validate({"from": (run_id,)}))
    assert manager().wait(made, 60).state == "finished"
    manager().store.append(made, [(10_000, {"event": "row", **row})])
    manager().imported([made])
    visit = open_page(PAGE, run=made, look="Compress")
    assert not visit.exception and len(visit.dataframe[0].value) == 2


def test_the_smallest_within_a_point_is_named_with_its_file(open_page):
    run_id = trained(name="Whole", train={"epochs": 3, "device": "cpu"})
    made = {}
    for bits in (8, 2):
        asked = Asked.model_validate({"from": (run_id,), "params": {"bits": bits, "by": "tensor"}})
        made[bits] = manager().make("quantise", asked)
        assert manager().wait(made[bits], 60).state == "finished"
    visit = open_page(PAGE, run=run_id, look="Compress")
    accuracies = {
        bits: manager().view(each).history.result["validation_accuracy"] for bits, each in made.items()
    }
    whole = manager().view(run_id).history.result["validation_accuracy"]
    good = [bits for bits in (2, 8) if accuracies[bits] >= whole - 0.01]
    said = texts(visit)
    assert good and "Smallest file within one point" in said and f"{good[0]} bits by tensor" in said
    link = next(
        each for each in visit.get("page_link") if each.proto.label == "Take it away: Weights, packed"
    )
    assert made[good[0]] in link.proto.query_string
    assert not open_page(PAGE, run=made[good[0]], look="Take away").exception


def test_few_bits_are_held_over_generations():
    made = trained()
    for how, asked in (
        ("quantise", {"params": {"bits": 3}}),
        ("shrink", {}),
        ("prune", {"train": {"epochs": 1}}),
    ):
        made = manager().make(how, Asked.model_validate({"from": (made,), **asked}))
        assert manager().wait(made, 60).state == "finished"
    held = {each.kind: each.params for each in manager().view(made).spec.regularisers}
    assert held["quantisation"]["bits"] == 3 and "hold_zeros" in held


def test_a_refusal_stands_beside_its_button_in_the_words_of_the_form(open_page):
    visit = opened(open_page, trained())
    visit.segmented_control(key="compress.prune.when").set_value("step by step").run()
    visit.slider(key="compress.prune.more epochs").set_value(0).run()
    visit.button(key="compress.prune.make it").click().run()
    (refused,) = [each.value for each in visit.error]
    assert refused.startswith("Epochs\\: step by step needs further training")
    visit.segmented_control(key="compress.prune.what.fitted").set_value("units").run()
    assert not [each for each in visit.segmented_control if each.key == "compress.prune.when"]
    visit.button(key="compress.prune.make it").click().run()
    assert not visit.error
