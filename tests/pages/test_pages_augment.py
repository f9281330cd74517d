"""The augmentation lab: add, tune, undo; draws; images of all three kinds; every tab; a teacher's link."""

import io
import json
import zipfile

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from visiting import asked, manager, spec_of

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.data.uploads import keep_upload
from core.interactive.client import Interactive, shared_interactive
from core.run.address import encode
from core.run.spec import AugmentSpec, DataSpec, OpSpec, RunSpec, TrainSpec, parse

PAGE = "pages/1_Augment.py"


def ops(visit):
    return [op.op for op in spec_of(visit).augment.ops]


def button(visit, name):
    return next(each for each in visit.button if name in (each.label, each.help))


def slider(visit, label):
    return next(each for each in visit.slider if each.label.startswith(label))


def results(visit):
    """The pictures that the results' gallery shows, as data URIs."""
    return [tile["src"] for tile in gallery(visit, "results")]


def component(visit, key):
    """What a component of ours was last sent."""
    for element in visit.get("bidi_component"):
        if f"-{key}" in element.proto.id or element.proto.id.endswith(key):
            return json.loads(element.proto.bytes if element.proto.bytes else element.proto.json)
    raise AssertionError(f"no component {key}")


def gallery(visit, key):
    message = component(visit, key)
    return [
        tile | {"before": None if tile["before"] is None else message["originals"][tile["before"]]}
        for tile in message["tiles"]
    ]


def said(visit):
    return " ".join(
        each.value for each in [*visit.markdown, *visit.caption, *visit.error, *visit.warning, *visit.info]
    )


def one(op, **fields):
    return encode(RunSpec(augment=AugmentSpec(ops=(OpSpec(op=op, **fields),))))


def showing(visit, source):
    """The same visit with other images: "photos", "data" or "yours"."""
    return visit.segmented_control(key="images").set_value(source).run()


def test_it_opens_with_three_operations_that_change_sixteen_images(open_page):
    visit = open_page(PAGE)
    assert ops(visit) == ["RandomAffine", "RandomErasing", "RandomGaussianNoise"]
    tiles = gallery(visit, "results")
    assert len(tiles) == 16
    assert all(tile["src"] != tile["before"] for tile in tiles)
    assert any(line["name"] == "Affine" and "°" in line["value"] for line in tiles[0]["lines"])
    assert [item["title"] for item in component(visit, "operations")["items"]] == [
        "Affine",
        "Erasing",
        "Gaussian noise",
    ]


def test_a_new_draw_is_another_and_the_same_link_the_same(open_page):
    visit = open_page(PAGE)
    first = results(visit)
    button(visit, "New draw").click().run()
    second = results(visit)
    assert second != first and asked(visit, "draw") == "1"
    assert results(open_page(PAGE)) == first
    assert results(open_page(PAGE, draw="1")) == second
    assert results(open_page(PAGE, draw="x²")) == first  # anybody's text


def test_every_operation_is_offered_and_can_be_seen(open_page):
    visit = open_page(PAGE, spec=encode(RunSpec()))
    assert len(visit.selectbox(key="augury.add").options) == len(OPERATIONS)
    for name, entry in OPERATIONS.items():
        visit.query_params["spec"] = one(name)
        visit.run()
        assert not visit.exception and not visit.error, name
        assert ops(visit) == [name]
        assert len(results(visit)) == 16
        assert any(title.value == f"**{entry.title}**" for title in visit.markdown)


def test_an_operation_that_was_searched_for_is_added_and_its_dials_shown(open_page):
    visit = open_page(PAGE)
    visit.selectbox(key="augury.add").set_value("RandomHue").run()
    assert ops(visit)[-1] == "RandomHue"
    assert "**Hue**" in said(visit)
    button(visit, "Undo add hue").click().run()
    assert "RandomHue" not in ops(visit)
    assert not visit.exception


def acting(act, **fields):
    """A script that does one thing to the list of operations, as its browser side would have it done."""

    def script(act, fields):
        import streamlit as st

        from core.presets import FIRST_LOOK
        from core.run.address import encode
        from pages.components.order_list import OrderEvent
        from pages.features.editor import choice
        from pages.features.editor.augment_editor import act as do

        choice.current(first=FIRST_LOOK)
        do(OrderEvent(act=act, number=1, **fields))
        st.query_params["spec"] = encode(choice.current())

    visit = AppTest.from_function(script, kwargs={"act": act, "fields": fields}).run()
    assert not visit.exception
    return [(op.op, op.stream, op.enabled) for op in spec_of(visit).augment.ops]


AFFINE, ERASING, NOISE = (
    ("RandomAffine", 0, True),
    ("RandomErasing", 0, True),
    ("RandomGaussianNoise", 0, True),
)


@pytest.mark.parametrize(
    ("act", "fields", "after"),
    [
        ("move", {"to": 2}, [ERASING, NOISE, AFFINE]),
        ("duplicate", {}, [AFFINE, ("RandomAffine", 1, True), ERASING, NOISE]),
        ("remove", {}, [ERASING, NOISE]),
        ("toggle", {"on": False}, [("RandomAffine", 0, False), ERASING, NOISE]),
        ("select", {}, [AFFINE, ERASING, NOISE]),
    ],
)
def test_what_is_done_to_the_list_is_done_to_the_pipeline(act, fields, after):
    assert acting(act, id="RandomAffine-0", index=0, **fields) == after


def test_an_act_on_what_is_gone_does_nothing():
    assert acting("remove", id="RandomHue-3", index=3) == [AFFINE, ERASING, NOISE]


def test_a_dial_changes_the_pictures_and_nothing_elses_draws(open_page):
    visit = open_page(PAGE)
    before = gallery(visit, "results")
    slider(visit, "Translate").set_value(0.4).run()
    after = gallery(visit, "results")
    assert spec_of(visit).augment.ops[0].params["translate"] == 0.4
    assert [t["src"] for t in before] != [t["src"] for t in after]
    assert [t["lines"][1:] for t in before] == [t["lines"][1:] for t in after]


def test_strength_scales_and_zero_does_nothing(open_page):
    visit = open_page(PAGE, spec=one("RandomAffine", p=1.0))
    slider(visit, "Strength").set_value(0.0).run()
    assert spec_of(visit).augment.strength == 0
    tiles = gallery(visit, "results")
    assert all("+0.0°" in tile["lines"][0]["value"] for tile in tiles)


def test_operations_that_are_one_warp_say_so_and_can_be_taken_apart(open_page):
    spec = RunSpec(augment=AugmentSpec(ops=(OpSpec(op="RandomRotation"), OpSpec(op="RandomShear"))))
    visit = open_page(PAGE, spec=encode(spec))
    badges = [item["badges"] for item in component(visit, "operations")["items"]]
    assert badges == [["fused"], ["fused"]]
    next(each for each in visit.toggle if each.label == "Fuse geometry").set_value(False).run()
    badges = [item["badges"] for item in component(visit, "operations")["items"]]
    assert badges == [[], []] and not spec_of(visit).augment.fuse


def test_some_of_the_operations_can_be_chosen_for_each_batch(open_page):
    visit = open_page(PAGE)
    next(each for each in visit.selectbox if each.label == "Operations each batch").set_value(1).run()
    assert spec_of(visit).augment.choose == 1
    ran = [sum(line["fired"] for line in tile["lines"]) for tile in gallery(visit, "results")]
    assert max(ran) <= 1


@pytest.mark.parametrize("name", [name for name, entry in MIXES.items() if not entry.needs_masks])
def test_a_mix_shows_what_each_picture_is_made_of(open_page, name):
    visit = open_page(PAGE, spec=encode(RunSpec()))
    next(each for each in visit.selectbox if each.label == "Mix images").set_value(name).run()
    assert not visit.exception and not visit.error
    assert spec_of(visit).augment.mix.op == name
    captions = [tile["caption"] for tile in gallery(visit, "results")]
    mixed = [caption for caption in captions if " + " in caption]
    assert mixed
    for caption in mixed:
        assert sum(float(part.split()[-1]) for part in caption.split(" + ")) == pytest.approx(1, abs=0.02)


def test_colour_on_grey_images_is_said_not_thrown(open_page):
    visit = showing(open_page(PAGE, spec=one("RandomHue")), "data")
    assert any("colour" in each.value for each in visit.error)
    assert component(visit, "operations")["items"][0]["warning"] == "needs colour"


def test_the_dataset_can_be_chosen_here_too(open_page):
    visit = showing(open_page(PAGE), "data")
    next(each for each in visit.selectbox if each.label == "Dataset").set_value("arrows").run()
    assert spec_of(visit).data.name == "arrows"
    assert {tile["caption"] for tile in gallery(visit, "results")} <= {"up", "down", "left", "right"}


def test_a_folder_of_ones_own_is_shown_here_and_trained_on(open_page):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for i in range(8):
            picture = io.BytesIO()
            Image.new("RGB", (20, 20), (255 * (i % 2), i, 0)).save(picture, "PNG")
            archive.writestr(f"{'ab'[i % 2]}/{i}.png", picture.getvalue())
    spec = parse({"data": {"name": "folder", "path": keep_upload(content.getvalue()).path}})
    visit = showing(open_page(PAGE, spec=encode(spec)), "data")
    assert {tile["caption"] for tile in gallery(visit, "results")} == {"a", "b"}
    assert gallery(open_page("pages/2_Train.py", spec=encode(spec)), "first_batch")


def test_own_pictures_are_sent_again_to_a_new_worker(open_page):
    visit = showing(open_page(PAGE), "yours")
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 30, 30)).save(picture, "PNG")
    visit.file_uploader[0].upload("good.png", picture.getvalue()).run()
    before = results(visit)
    shared_interactive().close()
    shared_interactive.cache_clear()
    button(visit, "New draw").click().run()
    assert not visit.exception and not visit.error
    assert results(visit) != before
    assert {tile["caption"] for tile in gallery(visit, "results")} == {"yours 1"}


def test_a_worker_that_ends_is_said_and_the_next_picture_comes(open_page, monkeypatch):
    visit = open_page(PAGE, draw="70")  # nobody asked for draw 71 before
    with monkeypatch.context() as patched:
        ask = Interactive.ask
        patched.setattr(Interactive, "ask", lambda *given, **named: ask(*given, **named | {"timeout": 0.0}))
        button(visit, "New draw").click().run()
    assert not visit.exception
    assert "It took longer than 0 s and was ended" in visit.error[0].value
    visit.run()
    assert not visit.error and len(results(visit)) == 16


def test_own_images_good_and_bad(open_page):
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 30, 30)).save(picture, "PNG")
    visit = showing(open_page(PAGE), "yours")
    assert "never on disk" in said(visit)
    visit.file_uploader[0].upload("good.png", picture.getvalue())
    visit.file_uploader[0].upload("bad.png", b"no picture").run()
    assert not visit.exception
    assert any("bad.png" in each.value for each in visit.warning)
    assert len(results(visit)) == 16
    assert {tile["caption"] for tile in gallery(visit, "results")} == {"yours 1"}


def test_train_with_this_carries_the_operations_over(open_page):
    visit = open_page(PAGE)
    button(visit, "Train with this").click().run()
    assert not visit.exception
    assert visit.title[0].value == "Train"
    assert ops(visit) == ["RandomAffine", "RandomErasing", "RandomGaussianNoise"]


def tab(open_page, label, **query):
    """The page with one of its tabs open."""
    visit = open_page(PAGE, **query)
    visit.session_state["tab"] = label
    return visit.run()


def test_one_image_closely(open_page):
    visit = tab(open_page, "One image")
    assert not visit.exception
    steps = gallery(visit, "stages")
    assert [tile["caption"] for tile in steps] == ["original", "Affine", "Erasing", "Gaussian noise"]
    pictures = component(visit, "compare")
    assert pictures["before"] == steps[0]["src"] and pictures["after"] == steps[-1]["src"]
    assert "clipped to white" in said(visit)
    next(each for each in visit.selectbox if each.label == "Image").set_value(5).run()
    assert component(visit, "compare")["before"] != pictures["before"]
    assert not visit.exception


def test_a_sweep_shows_one_parameter_from_end_to_end(open_page):
    visit = tab(open_page, "Sweep", spec=one("RandomBrightness"))
    tiles = gallery(visit, "sweep")
    assert len(tiles) == 8 and len({tile["src"] for tile in tiles}) == 8
    next(each for each in visit.toggle if "other operations" in each.label).set_value(True).run()
    assert not visit.exception
    assert "no parameter" in said(tab(open_page, "Sweep", spec=one("RandomHorizontalFlip")))
    assert "Add an operation" in said(tab(open_page, "Sweep", spec=encode(RunSpec())))


def measured(visit, kind):
    """The visit after a press on Measure and the end of the job."""
    before = {run.id for run in manager().recent(kinds=(kind,))}
    button(visit, "Measure").click().run()
    assert not visit.exception
    (run,) = (run for run in manager().recent(kinds=(kind,)) if run.id not in before)
    manager().wait(run.id, timeout=60)
    return visit.run()


def test_costs_are_measured_when_asked_and_are_there_for_whoever_comes_next(open_page):
    visit = measured(tab(open_page, "Cost", spec=one("RandomInvert")), "probe.cost")
    assert not visit.exception and "µs an image" in said(visit)
    chart = component(visit, "cost")["figure"]["data"]
    assert chart[0]["y"] == ["Invert", "The whole pipeline"]
    visit = measured(showing(visit, "data"), "probe.cost")
    assert "of a step" in said(visit)
    another = tab(open_page, "Cost", spec=one("RandomInvert"), images="Dataset")
    assert "of a step" in said(another)
    assert (
        len(measured(another, "probe.cost").error) == 0 and len(manager().recent(kinds=("probe.cost",))) == 3
    )


@pytest.mark.parametrize(("form", "begins"), [("Python", '"""'), ("JSON", "{"), ("YAML", "ops:")])
def test_the_pipeline_can_be_taken_home(open_page, form, begins):
    visit = tab(open_page, "Take it home")
    next(each for each in visit.segmented_control if each.label == "Form").set_value(form).run()
    assert not visit.exception
    assert any(each.value.startswith(begins) for each in visit.code)
    assert any("RandomGaussianNoise" in each.value for each in visit.code)


def test_a_pipeline_can_be_loaded_and_a_bad_one_is_refused_in_words(open_page):
    visit = tab(open_page, "Take it home")
    visit.text_area[0].set_value("ops: [{op: RandomHorizontalFlip, p: 0.25}]").run()
    button(visit, "Use this pipeline").click().run()
    assert ops(visit) == ["RandomHorizontalFlip"] and spec_of(visit).augment.ops[0].p == 0.25
    visit.text_area[0].set_value("ops: [{op: RandomHorizontalFlop}]").run()
    button(visit, "Use this pipeline").click().run()
    assert "RandomHorizontalFlip" in said(visit)
    assert ops(visit) == ["RandomHorizontalFlip"]
    button(visit, "Undo load a pipeline").click().run()
    assert ops(visit) == ["RandomAffine", "RandomErasing", "RandomGaussianNoise"]


def test_what_may_lie_is_said_before_any_run_and_measured_after_one(open_page):
    spec = RunSpec(
        name="Arrows",
        data=DataSpec(name="arrows", train_images=400),
        train=TrainSpec(epochs=1),
    )
    flipped = spec.model_copy(update={"augment": AugmentSpec(ops=(OpSpec(op="RandomHorizontalFlip"),))})
    visit = tab(open_page, "Does it lie?", spec=encode(flipped))
    assert OPERATIONS["RandomHorizontalFlip"].can_lie in said(visit)
    assert {tile["caption"] for tile in gallery(visit, "label_changes")} <= {
        "left, reads right",
        "right, reads left",
    }
    assert "Train on arrows once" in said(visit)
    run_id = manager().submit(spec)
    manager().wait(run_id, timeout=60)
    visit = tab(open_page, "Does it lie?", spec=encode(flipped))
    visit = measured(visit, "probe.label_damage")
    assert not visit.exception and not visit.error
    chart = component(visit, "label_damage")["figure"]["data"][0]
    assert chart["y"] == ["Plain images", "Horizontal flip", "The whole pipeline"]


def test_a_teachers_link_hides_what_it_names(open_page):
    visit = open_page(PAGE, hide="add,seed,tabs,share,train,pages,pipeline")
    labels = {each.label for each in visit.button} | {each.label for each in visit.selectbox}
    assert not labels & {"New draw", "Add an operation", "Train with this", "Mix images"}
    assert len(results(visit)) == 16 and not visit.tabs
    assert len(visit.number_input) == 0 and not visit.get("page_link")


def test_a_locked_link_leaves_the_chosen_dials_alone(open_page):
    visit = open_page(PAGE, lock="1", dials="strength,RandomAffine-0-degrees,RandomErasing-0-enabled")
    assert [each.label for each in visit.slider] == ["Degrees (°)", "Strength (×)"]
    assert [each.label for each in visit.toggle] == ["On"]
    assert not visit.selectbox and not visit.button and not visit.segmented_control
    slider(visit, "Degrees").set_value((-90, 90)).run()
    assert spec_of(visit).augment.ops[0].params["degrees"] == [-90, 90]
    assert len(results(visit)) == 16


def test_sharing_gives_this_view_and_one_for_a_class(open_page):
    visit = open_page(PAGE)
    visit.multiselect(key="share.hide").set_value(["add", "seed"]).run()
    assert any("hide=add,seed" in each.value for each in visit.code)
    visit.toggle(key="share.lock").set_value(True).run()
    visit.multiselect(key="share.dials").set_value(["strength"]).run()
    assert any("lock=1&dials=strength" in each.value for each in visit.code)


def test_masks_boxes_and_points_move_along(open_page):
    visit = tab(open_page, "Masks and boxes", spec=one("RandomHorizontalFlip", p=1.0))
    tiles = gallery(visit, "targets")
    assert len(tiles) == 8 and all(tile["src"] != tile["before"] for tile in tiles)
    assert all("Objects: " in tile["alt"] for tile in tiles)
    visit.toggle(key="targets.transplant").set_value(True).run()
    assert not visit.exception
    assert [tile["src"] for tile in gallery(visit, "targets")] != [tile["src"] for tile in tiles]
    assert "masks" in said(tab(open_page, "Masks and boxes", spec=one("TrivialAugment")))
