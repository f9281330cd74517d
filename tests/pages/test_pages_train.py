"""The Train page: every part of the form reaches the spec, a run goes its way, nothing is a dead end."""

import io
import json
import zipfile

import pytest
from PIL import Image
from visiting import asked, manager, spec_of

from core.catalogues import completed
from core.measure.mean import mean_interval
from core.models.dropout import DROPOUTS
from core.presets import preset
from core.regularise.catalogue import REGULARISERS
from core.run.address import encode
from core.run.spec import AugmentSpec, DataSpec, OpSpec, RunSpec, TrainSpec, parse
from core.text.escape import plain

PAGE = "pages/2_Train.py"
TINY = parse(
    {
        "name": "Tiny",
        "data": {"name": "digits", "train_images": 100},
        "model": {"arch": "cnn", "params": {"channels": [4], "hidden": 16}},
        "train": {"epochs": 2, "device": "cpu"},
    }
)


def widget(visit, kind, label):
    found = [each for each in getattr(visit, kind) if each.label == label]
    assert found, f"no {kind} called {label!r}; there are {[each.label for each in getattr(visit, kind)]}"
    return found[0]


def chart(visit, key):
    """The figure of the live chart with this key."""
    found = [each for each in visit.get("bidi_component") if f"-{key}-" in f"-{each.proto.id}-"]
    assert len(found) == 1, [each.proto.id for each in visit.get("bidi_component")]
    return json.loads(found[0].proto.bytes)["figure"]


def texts(visit):
    return " ".join(
        str(each.value)
        for kind in ("error", "warning", "info", "caption", "markdown")
        for each in getattr(visit, kind)
    )


def test_it_opens_with_a_plan_and_a_button(open_page):
    visit = open_page(PAGE)
    assert widget(visit, "button", "Start training").disabled is False
    layers = visit.dataframe[0].value
    assert list(layers["Layer"])[:1] == ["conv1"]
    assert "688,138 parameters" in texts(visit)
    assert r"\mathcal{L}" in texts(visit)


def test_a_batch_too_large_to_draw_for_says_so_in_place_of_its_pictures(open_page):
    clouds = AugmentSpec(ops=(OpSpec(op="RandomPlasmaBrightness"),))
    large = {"data": DataSpec(name="arrows"), "train": TrainSpec(batch_size=4096), "augment": clouds}
    visit = open_page(PAGE, spec=encode(RunSpec(**large)))
    assert "is too large to preview" in texts(visit)
    assert "The very images" not in texts(visit) and not visit.error
    assert list(visit.dataframe[0].value["Layer"])[:1] == ["conv1"]
    assert widget(visit, "button", "Start training").disabled is False


def test_a_link_opens_the_same_choices(open_page):
    chosen = preset("all-three")
    visit = open_page(PAGE, spec=encode(chosen))
    assert widget(visit, "number_input", "Epochs").value == 20
    again = open_page(PAGE, spec=asked(visit, "spec"))
    assert spec_of(again) == spec_of(visit)
    assert [r.kind for r in spec_of(visit).regularisers] == ["l1"]
    assert [op.op for op in spec_of(visit).augment.ops] == ["RandomAffine", "RandomErasing"]


def test_a_broken_link_says_so_and_still_works(open_page):
    visit = open_page(PAGE, spec="nonsense")
    assert "can't be read" in texts(visit)
    assert widget(visit, "button", "Start training").disabled is False


@pytest.mark.parametrize(
    ("kind", "label", "value", "read"),
    [
        ("number_input", "Epochs", 7, lambda spec: spec.train.epochs),
        ("number_input", "Seed", 5, lambda spec: spec.seed),
        ("selectbox", "Images", "digits", lambda spec: spec.data.name),
        ("number_input", "Training images", 100, lambda spec: spec.data.train_images),
        ("selectbox", "Architecture", "rnn", lambda spec: spec.model.arch),
        ("selectbox", "Architecture", "attention", lambda spec: spec.model.arch),
        ("selectbox", "Optimiser", "sgd", lambda spec: spec.optimiser.kind),
        ("selectbox", "Optimiser", "muon", lambda spec: spec.optimiser.kind),
        ("selectbox", "Schedule", "cosine", lambda spec: spec.optimiser.schedule),
        ("select_slider", "Batch size (images)", 32, lambda spec: spec.train.batch_size),
        ("select_slider", "Learning rate", 0.01, lambda spec: spec.optimiser.lr),
        ("number_input", "Processes", 2, lambda spec: spec.train.processes),
    ],
)
def test_a_widget_reaches_the_spec_and_the_address(open_page, kind, label, value, read):
    visit = open_page(PAGE)
    widget(visit, kind, label).set_value(value).run()
    assert not visit.exception
    assert read(spec_of(visit)) == value


def test_a_schedules_own_dials_come_with_it_and_go_with_it(open_page):
    visit = open_page(PAGE)
    assert not keyed(visit, "slider", "cycles")
    widget(visit, "selectbox", "Schedule").set_value("warm-restarts").run()
    assert spec_of(visit).optimiser.schedule_params == {"cycles": 3, "growth": 2.0}
    widget(visit, "slider", "Cycles").set_value(5).run()
    assert spec_of(visit).optimiser.schedule_params == {"cycles": 5, "growth": 2.0}
    again = open_page(PAGE, spec=asked(visit, "spec"))
    assert widget(again, "slider", "Cycles").value == 5 and not again.error
    widget(visit, "selectbox", "Schedule").set_value("cosine").run()
    assert spec_of(visit).optimiser.schedule_params == {} and not visit.exception


def test_what_no_proximal_step_follows_is_said_and_penalty_mends_it(open_page):
    visit = add(open_page(PAGE), "l1")
    widget(visit, "selectbox", "Optimiser").set_value("lion").run()
    assert "Lion moves a weight equally far" in texts(visit) and "solve L1 by penalty" in texts(visit)
    assert widget(visit, "button", "Start training").disabled
    keyed(visit, "segmented_control", "l1.solver")[0].set_value("penalty").run()
    assert "Lion moves a weight equally far" not in texts(visit) and not visit.error
    assert not widget(visit, "button", "Start training").disabled
    assert "What it does to one weight" not in texts(visit)  # that is drawn by proximal steps


def add(visit, *kinds):
    for kind in kinds:
        widget(visit, "selectbox", "Add a regulariser").set_value(kind).run()
        assert not visit.exception
    return visit


def keyed(visit, kind, name):
    """The widgets of a kind whose key ends so: a regulariser's own among those of others."""
    return [each for each in getattr(visit, kind) if str(each.key).endswith(name)]


def test_every_regulariser_can_be_added_set_and_removed(open_page):
    visit = open_page(PAGE)
    for kind, entry in REGULARISERS.items():
        if entry.taught:  # it needs another network, and is made from there
            offered = widget(visit, "selectbox", "Add a regulariser").options
            assert entry.title not in offered and len(offered) == len(REGULARISERS) - 1
            continue
        add(visit, kind)
        assert [each.kind for each in spec_of(visit).regularisers] == [kind]
        assert entry.effect in texts(visit)
        assert bool(keyed(visit, "select_slider", f"{kind}.strength")) == (entry.default_strength is not None)
        if entry.default_strength is not None:
            dial = keyed(visit, "select_slider", f"{kind}.strength")[0]
            dial.set_value(entry.strength_low).run()
            assert spec_of(visit).regularisers[0].strength == entry.strength_low
        assert not visit.exception and not visit.error
        keyed(visit, "button", f"{kind}.remove")[0].click().run()
        assert spec_of(visit).regularisers == () and not visit.exception


def test_two_regularisers_have_dials_of_their_own(open_page):
    visit = add(open_page(PAGE), "elastic_net", "early_stopping")
    keyed(visit, "slider", "elastic_net.l1_ratio")[0].set_value(0.8).run()
    keyed(visit, "number_input", "early_stopping.patience")[0].set_value(9).run()
    keyed(visit, "segmented_control", "elastic_net.solver")[0].set_value("penalty").run()
    net, stopping = spec_of(visit).regularisers
    assert net.params["l1_ratio"] == 0.8 and net.solver == "penalty"
    assert stopping.params["patience"] == 9 and stopping.strength is None and stopping.solver is None
    again = open_page(PAGE, spec=asked(visit, "spec"))
    assert spec_of(again) == spec_of(visit)
    keyed(visit, "button", "elastic_net.remove")[0].click().run()
    assert spec_of(visit).regularisers == (stopping,)


def test_a_schedule_reaches_the_spec_and_is_drawn(open_page):
    visit = add(open_page(PAGE), "l1")
    shape = keyed(visit, "selectbox", "l1.shape")[0]
    assert shape.value == "constant" and not keyed(visit, "slider", "l1.warmup.linear")
    shape.set_value("linear").run()
    (chosen,) = spec_of(visit).regularisers
    assert (chosen.schedule, chosen.warmup_epochs) == ("linear", 5)  # half of the ten epochs
    keyed(visit, "slider", "l1.warmup.linear")[0].set_value(8).run()
    keyed(visit, "selectbox", "l1.shape")[0].set_value("step").run()
    (chosen,) = spec_of(visit).regularisers
    assert (chosen.schedule, chosen.warmup_epochs) == ("step", 8)
    assert "after 8 epochs" in texts(visit)
    assert chart(visit, "schedule.l1")["data"][0]["x"] == [0.0, 8.0, 8.0, 10.0]
    keyed(visit, "selectbox", "l1.shape")[0].set_value("constant").run()
    assert spec_of(visit).regularisers[0].warmup_epochs == 0


def test_a_penalty_is_released_and_that_is_drawn_and_said(open_page):
    visit = add(open_page(PAGE), "l1")
    assert not keyed(visit, "select_slider", "l1.release_rate")
    keyed(visit, "toggle", "l1.releases")[0].set_value(True).run()
    (chosen,) = spec_of(visit).regularisers
    assert (chosen.release_epochs, chosen.release_rate) == (7, 1.0)  # three quarters of the ten epochs
    keyed(visit, "slider", "l1.release_epochs.1")[0].set_value(6).run()
    keyed(visit, "select_slider", "l1.release_rate")[0].set_value(3.0).run()
    (chosen,) = spec_of(visit).regularisers
    assert (chosen.release_epochs, chosen.release_rate) == (6, 3.0)
    assert "released after 6 epochs: then it is 0, and what is zero stays so" in texts(visit)
    strength = chosen.strength
    drawn = chart(visit, "schedule.l1")["data"][0]
    assert list(zip(drawn["x"], drawn["y"], strict=True)) == [(0, strength), (6, strength), (6, 0), (10, 0)]
    # A rise that would end later pushes it on, and a solver without zeros takes it away.
    keyed(visit, "selectbox", "l1.shape")[0].set_value("linear").run()
    keyed(visit, "slider", "l1.warmup.linear")[0].set_value(7).run()
    assert not visit.exception and spec_of(visit).regularisers[0].release_epochs == 8
    keyed(visit, "segmented_control", "l1.solver")[0].set_value("penalty").run()
    assert spec_of(visit).regularisers[0].release_epochs == 0 and not keyed(visit, "toggle", "l1.releases")
    assert not visit.exception


def test_a_penalty_that_will_not_be_released_is_said(open_page):
    late = {"kind": "l1", "strength": 0.01, "release_epochs": 5}
    visit = open_page(PAGE, spec=encode(parse({"regularisers": [late], "train": {"epochs": 5}})))
    assert not visit.exception
    assert "is released after 5 epochs, and the run has 5" in texts(visit)


def test_a_strength_that_will_not_arrive_is_said_and_mended_by_a_press(open_page):
    late = {"kind": "l1", "strength": 0.01, "schedule": "linear", "warmup_epochs": 12}
    visit = open_page(PAGE, spec=encode(parse({"regularisers": [late], "train": {"epochs": 5}})))
    assert "it will end at 0.0042 of 0.01" in texts(visit)
    widget(visit, "button", "Let it arrive after 3 epochs").click().run()
    assert not visit.exception and "it will end at" not in texts(visit)
    assert spec_of(visit).regularisers[0].warmup_epochs == 3
    assert keyed(visit, "slider", "l1.warmup.linear")[0].value == 3


def test_the_page_says_why_the_penalty_solver_gives_no_zeros(open_page):
    visit = add(open_page(PAGE), "l1")
    assert "never exactly" not in texts(visit)
    assert "`proximal` solver" in texts(visit) and "exactly zero" in texts(visit)
    assert "hops over 0" in texts(visit)  # beside the picture of it
    keyed(visit, "segmented_control", "l1.solver")[0].set_value("penalty").run()
    assert "never exactly" in texts(visit)
    assert "`penalty` solver" in texts(visit) and "become exactly zero" not in texts(visit)
    assert spec_of(visit).regularisers[0].solver == "penalty"


def test_the_plan_says_what_else_is_done_to_weights_and_which_are_meant(open_page):
    """Dropout belongs to the architecture and AdamW's decay to the optimiser: the editor lists neither."""
    visit = open_page(PAGE)
    assert "**Dropout (of units)**, p = 0.5" in texts(visit)
    decays = r"**AdamW** itself takes a share off all weights: $w \leftarrow w - \eta \cdot 0.01\, w$"
    assert decays in texts(visit)
    assert "biases, norm layers and positions are left out" not in texts(visit)
    add(visit, "l1")
    assert "biases, norm layers and positions are left out" in texts(visit)
    assert r"\lambda \lVert w \rVert_1$" in texts(visit)
    add(visit, "l2")
    assert r"\lambda_{\text{L1}} \lVert w \rVert_1 + \tfrac{\lambda_{\text{L2}}}{2}" in texts(visit)
    for entry in DROPOUTS.values():
        assert entry.effect in texts(visit) and entry.formula in texts(visit)


def test_the_picture_of_one_weight_follows_the_dials(open_page):
    visit = add(open_page(PAGE), "l1")
    # 4,000 images in batches of 128 for 10 epochs; AdamW at 1e-3 on a usual gradient of 0.01
    reach = 320 * 1e-4 * 1e-3 / 0.01
    flat = chart(visit, "weight.after")["data"][3]
    zeros = [x for x, y in zip(flat["x"], flat["y"], strict=True) if y == 0]
    assert max(zeros) == pytest.approx(reach, rel=0.02)
    keyed(visit, "select_slider", "l1.strength")[0].set_value(1e-3).run()
    assert f"**{10 * reach:.2g}**" in texts(visit)


def test_what_does_not_fit_is_said_and_cannot_be_started(open_page):
    visit = open_page(PAGE)
    widget(visit, "text_input", "Channels (filters)").set_value("32, many").run()
    assert "not a list of whole numbers" in texts(visit)
    assert widget(visit, "button", "Start training").disabled
    widget(visit, "text_input", "Channels (filters)").set_value("32, 9999").run()
    assert "above the largest allowed" in texts(visit)
    widget(visit, "text_input", "Channels (filters)").set_value("8, 16").run()
    assert not visit.exception and spec_of(visit).model.params["channels"] == [8, 16]
    assert widget(visit, "button", "Start training").disabled is False


def test_more_images_than_there_are_is_said(open_page):
    visit = open_page(PAGE)
    widget(visit, "number_input", "Training images").set_value(100_000).run()
    assert plain("Training images: ") in texts(visit)


def test_a_run_from_start_to_finish(open_page):
    visit = open_page(PAGE, spec=encode(TINY))
    widget(visit, "button", "Start training").click().run()
    assert not visit.exception
    run_id = asked(visit, "run")
    manager().wait(run_id, timeout=60)
    visit.run()
    assert not visit.exception
    values = {metric.label: metric.value for metric in visit.metric}
    last = manager().view(run_id).history.epochs[-1]
    assert values["Validation accuracy"] == f"{100 * last['validation_accuracy']:.1f} %"
    assert values["Exact zeros"] == "0.0 %"
    sure = {metric.label: metric.delta for metric in visit.metric}
    validation = manager().view(run_id).history.started["validation_images"]
    assert (
        f" of {validation}; " in sure["Validation accuracy"] and "100 of" not in sure["Validation accuracy"]
    )
    assert " of all 100" in sure["Clean train"] and " to " in sure["Gap"]
    assert any(each.value.startswith("Finished · epoch 2 of 2") for each in visit.caption)
    assert not [each for each in visit.button if each.label == "Stop"]

    widget(visit, "button", "Change something and train again").click().run()
    assert not visit.exception and "run" not in visit.query_params
    assert spec_of(visit).model.params["channels"] == [4]
    assert widget(visit, "number_input", "Epochs").value == 2


def test_another_visitor_sees_the_same_run(open_page):
    run_id = manager().submit(TINY)
    manager().wait(run_id, timeout=60)
    visit = open_page(PAGE, run=run_id)
    assert visit.title[0].value == "Tiny"
    assert {metric.label for metric in visit.metric} >= {"Validation accuracy", "Exact zeros"}


def test_stop_and_the_queue(open_page):
    long = TINY.model_copy(update={"train": TINY.train.model_copy(update={"epochs": 1000})})
    first, second = manager().submit(long), manager().submit(long)
    waiting = open_page(PAGE, run=second)
    assert "Queued" in waiting.get("progress")[0].proto.text
    running = open_page(PAGE, run=first)
    widget(running, "button", "Stop").click().run()
    widget(waiting, "button", "Stop").click().run()
    for run_id in (first, second):
        assert manager().wait(run_id, timeout=60).state == "stopped"


def test_stop_says_that_it_was_pressed(open_page, monkeypatch):
    """A batch may take seconds: meanwhile nobody should wonder, or press again."""
    run_id = manager().submit(
        TINY.model_copy(update={"train": TINY.train.model_copy(update={"epochs": 1000})})
    )
    visit, asked = open_page(PAGE, run=run_id), []
    with monkeypatch.context() as patched:
        patched.setattr(manager(), "stop", lambda run_id, asker: asked.append(run_id))
        widget(visit, "button", "Stop").click().run()
    (button,) = [each for each in visit.button if each.key == "stop"]
    assert asked == [run_id] and button.disabled and button.label == "Stopping after this batch…"
    manager().stop(run_id)
    assert manager().wait(run_id, timeout=60).state == "stopped"


def test_a_failed_run_says_why(open_page):
    wild = parse(
        json.loads(TINY.to_json())
        | {"optimiser": {"kind": "sgd", "lr": 10.0}, "regularisers": [{"kind": "l2", "strength": 100.0}]}
        | {"train": {"epochs": 60}}
    )
    run_id = manager().submit(wild)
    assert manager().wait(run_id, timeout=60).state == "failed"
    visit = open_page(PAGE, run=run_id)
    assert "lower learning rate" in texts(visit)
    assert widget(visit, "button", "Change something and train again")


@pytest.mark.parametrize("run_id", ["0" * 32, "../../etc/passwd", "x"])
def test_a_run_that_is_not_there_leads_back(open_page, run_id):
    visit = open_page(PAGE, run=run_id)
    assert "no such run" in texts(visit)


def test_an_uploaded_zip_is_checked_kept_and_trained_on(open_page, home):
    visit = open_page(PAGE)
    widget(visit, "selectbox", "Images").set_value("folder").run()
    assert widget(visit, "button", "Start training").disabled
    assert "Upload a zip" in texts(visit)
    visit.file_uploader[0].upload("x.zip", b"not a zip").run()
    assert "zip" in visit.error[0].value and not (home / "uploads").exists()

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for i in range(24):
            picture = io.BytesIO()
            Image.new("RGB", (20, 20), (255 * (i % 2), i, 0)).save(picture, "PNG")
            archive.writestr(f"{'ab'[i % 2]}/{i}.png", picture.getvalue())
        archive.writestr("a/broken.png", b"no picture")
    visit = open_page(PAGE)
    widget(visit, "selectbox", "Images").set_value("folder").run()
    visit.file_uploader[0].upload("x.zip", content.getvalue()).run()
    assert not visit.exception and not visit.error
    assert spec_of(visit).data.path.startswith("upload:")
    assert "broken.png" in texts(visit)
    assert widget(visit, "button", "Start training").disabled is False


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"arch": "vgg"}},
        {"model": {"params": {"hidden": 10**9}}},
        {"data": {"name": "imagenet"}},
        {"augment": {"ops": [{"op": "Nothing"}]}},
        {"augment": {"ops": [{"op": "RandomAffine", "params": {"degrees": [-9999, 9999]}}]}},
        {"regularisers": [{"kind": "l9"}]},
        {"optimiser": {"kind": "adam", "params": {"beta1": 7}}},
    ],
)
def test_a_link_out_of_bounds_is_refused_in_a_sentence(open_page, change):
    visit = open_page(PAGE, spec=encode(parse(change)))
    assert "choices to start from instead" in texts(visit)
    assert widget(visit, "button", "Start training").disabled is False


def test_a_link_whose_parts_do_not_go_together_is_shown_with_the_reason(open_page):
    hue_on_grey = parse({"augment": {"ops": [{"op": "RandomHue"}]}})
    visit = open_page(PAGE, spec=encode(hue_on_grey))
    assert plain("Augmentation, operation 1: ") in texts(visit)
    assert spec_of(visit).augment.ops[0].op == "RandomHue"
    assert widget(visit, "button", "Start training").disabled


def test_a_link_to_a_file_of_the_server_is_refused(open_page):
    visit = open_page(PAGE, spec=encode(RunSpec(data=DataSpec(name="folder", path="/etc"))))
    assert "can't open a file of the server" in texts(visit)
    assert spec_of(visit).data.path is None


def test_a_run_is_named_after_what_sets_it_apart_or_by_hand(open_page):
    visit = open_page(PAGE)
    name = widget(visit, "text_input", "Name")
    assert name.value == "" and name.placeholder == "Baseline"
    widget(visit, "number_input", "Training images").set_value(60).run()
    widget(visit, "number_input", "Epochs").set_value(1).run()
    assert widget(visit, "text_input", "Name").placeholder == "60 images, 1 epoch"
    assert any("Differs from Baseline\\: 60 images" in each.value for each in visit.caption)
    widget(visit, "button", "Start training").click().run()
    (run,) = manager().recent(1)
    assert run.name == "60 images, 1 epoch"
    manager().wait(run.id, timeout=120)
    visit = open_page(PAGE)
    widget(visit, "text_input", "Name").set_value("Mine").run()
    assert spec_of(visit).name == "Mine"


def test_three_seeds_are_a_group_with_a_band(open_page):
    visit = open_page(PAGE)
    widget(visit, "number_input", "Training images").set_value(60).run()
    widget(visit, "number_input", "Epochs").set_value(2).run()
    next(each for each in visit.segmented_control if each.label == "Seeds").set_value(3).run()
    widget(visit, "button", "Start training").click().run()
    runs = manager().recent(3)
    assert sorted(run.spec.seed for run in runs) == [0, 1, 2] and len({run.group for run in runs}) == 1
    assert {run.spec.data.split_seed for run in runs} == {None, 0}  # seed 0's split for all
    for run in runs:
        assert manager().wait(run.id, timeout=120).state == "finished"
    visit = open_page(PAGE, run=runs[0].id)
    results = [manager().view(run.id).history.result["validation_accuracy"] for run in runs]
    said = next(each.value for each in visit.markdown if "**3 seeds**" in each.value)
    mean, low, high = mean_interval([100 * each for each in results])
    assert f"{mean:.1f} % on average (95 %: {max(low, 0):.1f} to {min(high, 100):.1f})" in said


def test_a_teachers_link_leaves_out_what_it_names_and_starts_its_spec(open_page):
    spec = {"data": {"name": "digits", "train_images": 60}, "train": {"epochs": 1}, "model": {"arch": "mlp"}}
    visit = open_page(
        PAGE, spec=encode(completed(parse(spec))), hide="data,architecture,optimiser,name,plan,lambda"
    )
    parts = {each.proto.label.partition(" ")[0] for each in visit.expander}
    assert parts >= {"Augmentation", "Regularisers", "Budget"} and not parts & {
        "Data",
        "Architecture",
        "Optimiser",
    }
    assert not visit.text_input and not visit.subheader
    widget(visit, "button", "Start training").click().run()
    (run,) = manager().recent(1)
    assert run.spec.data.train_images == 60 and run.spec.model.arch == "mlp"
    manager().wait(run.id, timeout=120)
    assert "hide" in visit.query_params
    locked = open_page(PAGE, spec=encode(completed(parse(spec))), lock="1", dials="budget")
    assert {each.proto.label for each in locked.expander} == {"Budget :primary[● 1 changed]"}
    undo = plain("Put epochs back to 10")
    assert {each.label for each in locked.button} == {undo, "Start training"}
    watched = open_page(PAGE, run=run.id, hide="tabs,recent,stop,share,next")
    assert not watched.exception and not watched.tabs and not watched.get("popover")
