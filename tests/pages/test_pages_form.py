"""Train's form before the start: a preset to start from, what differs from it and how it is put back, and
refusals at their fields."""

import json

from test_pages_train import PAGE, add, keyed, texts, widget
from visiting import asked, spec_of

from core.catalogues import completed, filled
from core.interactive import answers
from core.presets import PRESETS, preset
from core.run.address import encode
from core.run.spec import RunSpec, parse
from core.text.escape import plain


def start_from(visit, name):
    return widget(visit, "selectbox", "Start from").set_value(name).run()


def parts(visit):
    """The labels of the form's parts that say how many of their fields differ."""
    return [each.proto.label for each in visit.expander if "changed" in each.proto.label]


def undo(visit, what):
    return widget(visit, "button", plain(f"Put {what}"))


def undos(visit):
    return [each.label for each in visit.button if each.label.startswith("Put ")]


def test_a_preset_fills_the_whole_form(open_page):
    visit = open_page(PAGE)
    assert widget(visit, "selectbox", "Start from").value == "baseline" and not undos(visit)
    for name, each in PRESETS.items():
        start_from(visit, name)
        assert not visit.exception and not visit.error
        assert spec_of(visit).choices() == completed(each.spec).choices()
        assert not undos(visit) and not parts(visit) and plain(f"As {each.spec.name}.") in texts(visit)
    assert widget(visit, "number_input", "Epochs").value == 8  # that of the last
    again = open_page(PAGE, spec=asked(visit, "spec"))
    assert widget(again, "selectbox", "Start from").value == name


def test_a_changed_field_is_marked_and_put_back_alone(open_page):
    visit = open_page(PAGE)
    widget(visit, "select_slider", "Learning rate").set_value(0.01).run()
    widget(visit, "slider", "Dropout").set_value(0.0).run()
    assert parts(visit) == [
        "Architecture :primary[● 1 changed]",
        "Optimiser :primary[● 1 changed]",
    ]
    assert ":primary[●] 2 changes" in texts(visit)
    assert plain("Differs from Baseline: dropout 0, learning rate 0.01.") in texts(visit)
    undo(visit, "learning rate back to 0.001").click().run()
    assert spec_of(visit).optimiser.lr == 0.001 and spec_of(visit).model.params["dropout"] == 0.0
    assert widget(visit, "select_slider", "Learning rate").value == 0.001
    assert parts(visit) == ["Architecture :primary[● 1 changed]"]
    widget(visit, "slider", "Dropout").set_value(0.5).run()  # by hand
    assert not undos(visit) and not parts(visit) and ":primary[●]" not in texts(visit)


def test_every_kind_of_field_has_its_mark(open_page):
    visit = start_from(open_page(PAGE), "all-three")
    widget(visit, "selectbox", "Images").set_value("digits").run()
    widget(visit, "number_input", "Training images").set_value(60).run()
    widget(visit, "text_input", "Channels (filters)").set_value("8, 16").run()
    widget(visit, "selectbox", "Schedule").set_value("constant").run()
    widget(visit, "number_input", "Epochs").set_value(3).run()
    widget(visit, "slider", "Strength (×)").set_value(0.5).run()
    keyed(visit, "slider", "RandomAffine-0.p")[0].set_value(0.5).run()
    keyed(visit, "select_slider", "l1.strength")[0].set_value(1e-3).run()
    add(visit, "l2")
    assert set(undos(visit)) == {
        plain(f"Put {what}")
        for what in (
            "images back to MNIST, 5,000 digits",
            "training images back to all",
            "channels (filters) back to 32-64-128",
            "schedule back to Cosine",
            "epochs back to 20",
            "strength back to 1",
            "probability back to 1",
            "strength λ back to 0.0003",
            "regularisers back to L1",
        )
    }
    for label in undos(visit):
        widget(visit, "button", label).click().run()
        assert not visit.exception
    assert spec_of(visit).choices() == completed(preset("all-three")).choices()


def test_all_is_undone_and_that_can_be_taken_back(open_page):
    visit = open_page(PAGE)
    widget(visit, "text_input", "Name").set_value("Mine").run()
    widget(visit, "number_input", "Seed").set_value(4).run()
    widget(visit, "number_input", "Epochs").set_value(3).run()
    before = spec_of(visit)
    widget(visit, "button", "Undo all").click().run()
    after = spec_of(visit)
    assert after.train.epochs == 10 and (after.name, after.seed) == ("Mine", 4) and not undos(visit)
    widget(visit, "button", "Back to what I had").click().run()
    assert spec_of(visit) == before
    start_from(visit, "l1-sparse")
    assert spec_of(visit).train.epochs == 20
    widget(visit, "button", "Back to what I had").click().run()
    assert spec_of(visit) == before and widget(visit, "selectbox", "Start from").value == "baseline"
    start_from(visit, "l1-sparse")
    widget(visit, "number_input", "Epochs").set_value(7).run()  # on from here
    assert "Back to what I had" not in {each.label for each in visit.button}


def test_another_seed_is_not_another_exam(open_page):
    visit = open_page(PAGE)
    widget(visit, "number_input", "Seed").set_value(5).run()
    assert spec_of(visit).data.split_seed == 0 and not undos(visit)
    widget(visit, "number_input", "Seed").set_value(0).run()
    assert spec_of(visit).data.split_seed is None


def test_a_refusal_stands_at_its_field_in_the_forms_words(open_page):
    visit = open_page(PAGE)
    widget(visit, "text_input", "Channels (filters)").set_value("32, 9999").run()
    here = [each.value for each in visit.sidebar.error]
    assert len(here) == 1 and here[0].startswith("9999 is above the largest allowed")
    assert any("Architecture, channels" in each.value.replace("\\", "") for each in visit.main.error)
    widget(visit, "text_input", "Channels (filters)").set_value("8").run()
    assert not visit.error
    widget(visit, "number_input", "Training images").set_value(100_000).run()  # the worker says so
    assert "is too many" in visit.sidebar.error[0].value and len(visit.sidebar.error) == 1


def test_what_was_so_when_the_page_opened_is_a_hint_and_its_part_is_open(open_page):
    grey = {"augment": {"ops": [{"op": "RandomHue"}]}}
    visit = open_page(PAGE, spec=encode(parse(grey)))
    assert not visit.error and "one channel" in visit.sidebar.info[0].value
    assert widget(visit, "button", "Start training").disabled
    (part,) = [each for each in visit.expander if each.proto.label.startswith("Augmentation")]
    assert part.proto.expanded
    widget(visit, "number_input", "Epochs").set_value(3).run()
    assert visit.sidebar.error and not visit.sidebar.info  # now something was done


def gallery_of(visit, key):
    return [each for each in visit.get("bidi_component") if f"-{key}-" in f"-{each.proto.id}-"]


def test_the_first_batch_stands_with_the_augmentation_and_is_asked_for_once(open_page, monkeypatch):
    from pages.features.plan import plan_view

    asked_for, ask = [], plan_view.ask
    monkeypatch.setattr(plan_view, "ask", lambda kind, **args: asked_for.append(kind) or ask(kind, **args))
    visit = start_from(open_page(PAGE), "all-three")
    assert plain("First batch: affine + erasing.") in texts(visit)
    (strip,) = gallery_of(visit, "first_batch")
    assert len(json.loads(strip.proto.bytes)["tiles"]) == answers.IN_FIRST_BATCH
    assert "First batch" not in [each.value for each in visit.subheader]
    asked_for.clear()
    visit.run()
    assert asked_for == ["plan"]
    hidden = open_page(PAGE, hide="augmentation")
    assert gallery_of(hidden, "first_batch") and "First batch" in [each.value for each in hidden.subheader]
    alone = open_page(PAGE, hide="plan")
    assert gallery_of(alone, "first_batch") and not alone.subheader


def test_a_teachers_link_can_leave_out_the_presets(open_page):
    visit = open_page(PAGE, spec=encode(filled(RunSpec(train={"epochs": 3}))), hide="preset")
    assert "Start from" not in {each.label for each in visit.selectbox}
    assert undos(visit) == [plain("Put epochs back to 10")]
