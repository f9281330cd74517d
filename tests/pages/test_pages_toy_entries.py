"""One new entry of each sort, and every page with it: each is found where a person would look for it, and no
list anywhere else has to know it."""

import json

import pytest
from visiting import manager, place

from core.catalogues import completed
from core.run.address import encode
from core.run.spec import (
    AugmentSpec,
    DataSpec,
    ModelSpec,
    OpSpec,
    OptimiserSpec,
    RegulariserSpec,
    RunSpec,
    TrainSpec,
)
from tests import in_process
from tests.toys import entries

TRAIN, AUGMENT = "pages/2_Train.py", "pages/1_Augment.py"
SPEC = RunSpec(
    data=DataSpec(name="toy"),
    augment=AugmentSpec(ops=(OpSpec(op="ToyOperation", p=1.0),)),
    model=ModelSpec(arch="toy"),
    regularisers=(RegulariserSpec(kind="huge"),),
    optimiser=OptimiserSpec(kind="toy", schedule="toy"),
    train=TrainSpec(epochs=2, batch_size=32),
)


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    entries.add(monkeypatch)
    in_process.answers(monkeypatch)


def drawn(visit):
    """All words that are sent to the browser."""
    return "\n".join(text for tree in (visit.main, visit.sidebar) for text in _texts_of(tree))


def _texts_of(node):
    if getattr(node, "proto", None) is not None:
        yield from _texts(node.proto)
    for child in getattr(node, "children", {}).values():
        yield from _texts_of(child)


def _texts(message):
    for field, value in message.ListFields() if hasattr(message, "ListFields") else ():
        for each in value if field.is_repeated else [value]:
            if isinstance(each, str):
                yield each
            elif field.name == "bytes":
                yield each.decode("utf-8", "replace")
            else:
                yield from _texts(each)


def chart(visit, key):
    """The figure of the live chart with this key."""
    (found,) = [each for each in visit.get("bidi_component") if f"-{key}-" in f"-{each.proto.id}-"]
    return json.loads(found.proto.bytes)["figure"]


def shows(visit, *texts):
    assert not visit.exception, [each.message for each in visit.exception]
    whole = drawn(visit)
    for text in texts:
        assert text in whole, text


def trained():
    run_id = manager().submit(completed(SPEC))
    assert manager().wait(run_id, 120).state == "finished", manager().view(run_id).reason
    return run_id


def test_the_landing_page(open_page):
    trained()
    shows(open_page("app.py"), "Toy darkening".lower(), "Largest weight 0.01 penalty")


TABS = {
    "Grid": "Toy darkening",
    "One image": "After toy darkening.",
    "Sweep": "Parameter of toy darkening",
    "Masks and boxes": "Toy darkening",
    "Does it lie?": "The toy dataset's classes are brightnesses.",
    "Cost": "Microseconds an image",
    "Take it home": "class ToyOperation(K.IntensityAugmentationBase2D)",
}


@pytest.mark.parametrize("images", ["Photos", "Dataset"])
@pytest.mark.parametrize("tab", TABS)
def test_augment(open_page, tab, images):
    visit = open_page(AUGMENT, spec=encode(SPEC), tab=tab, images=images)
    shows(visit, TABS[tab], "Toy darkening", "Of its light that an image keeps.")
    assert not visit.error
    if images == "Dataset":
        shows(visit, "Toy brightnesses")


@pytest.mark.parametrize(("tab", "key"), [("Cost", "cost"), ("Does it lie?", "label_damage")])
def test_what_is_measured_on_augment(open_page, tab, key):
    trained()
    visit = open_page(AUGMENT, spec=encode(SPEC), tab=tab, images="Dataset")
    next(each for each in visit.button if each.label == "Measure").click().run()
    (job,) = manager().recent(kinds=(f"probe.{key}",))
    assert manager().wait(job.id, 120).state == "finished", manager().view(job.id).reason
    visit.run()
    assert not visit.exception and "Toy darkening" in json.dumps(chart(visit, key))


def test_train_before_a_run(open_page):
    visit = open_page(TRAIN, spec=encode(SPEC))
    shows(visit, "Toy brightnesses", "Toy darkening", "Toy network", "Largest weight", "Toy steps")
    shows(visit, "Toy halving", "The share.")
    assert list(visit.dataframe[0].value["Layer"]) == ["look", "answer"] and not visit.error
    assert not next(each for each in visit.button if each.label == "Start training").disabled


@pytest.mark.parametrize("page", [TRAIN, AUGMENT])
def test_each_is_offered_to_who_has_not_chosen_it(open_page, page):
    offered = drawn(open_page(page, images="Dataset"))
    assert "Toy darkening" in offered and "Toy brightnesses" in offered
    assert page == AUGMENT or all(
        name in offered for name in ("Toy network", "Largest weight", "Toy steps", "Toy halving")
    )


def test_a_live_run(open_page):
    long = SPEC.model_copy(update={"train": TrainSpec(epochs=1000, batch_size=32)})
    run_id = manager().submit(completed(long))
    manager().wait_for_step(run_id, 60)
    shows(open_page(TRAIN, run=run_id), "toy 12", "Largest weight")
    shows(open_page("app.py"), "Running now")
    manager().stop(run_id)
    assert manager().wait(run_id, 60).state == "stopped"


@pytest.mark.parametrize(
    ("part", "seen"),
    [
        ("Layers", "Lines"),
        ("Weights", "Near zero"),
        ("Filters", "What each unit of the first layer looks for"),
        ("Measures", "Toy maximum"),
    ],
)
def test_a_run_that_has_ended(open_page, part, seen):
    visit = open_page(TRAIN, run=trained(), **place(part))
    shows(visit, seen, "look")
    if part == "Measures":
        visit.pills[0].set_value("toy_largest").run()
        shows(visit, "**Toy maximum: ", "The largest |w|.")
        names = {each["name"] for each in chart(visit, "measures")["data"]}
        assert names == {"whole", "look", "answer"}


def test_the_runs_as_points(open_page):
    run_id = trained()
    shows(open_page("pages/3_Runs.py", view="Chart", beside=run_id), "Toy network", "the ringed one")


def test_a_job_of_another_kind(open_page):
    run_id = manager().submit(completed(SPEC), "toy", {"to": 3})
    assert manager().wait(run_id, 60).state == "finished"
    visit = open_page(TRAIN, run=run_id)
    assert visit.title[0].value == "Toy counting" and "Counts." in drawn(visit)
    assert list(visit.dataframe[0].value["Said"]) == ["toy row 1", "toy row 2", "toy row 3"]
