"""The page of a run: charts and tabs, also of runs of an older version, that failed, or at λ = 0."""

import copy
import json
import re
import time
import uuid

import pytest
from visiting import RUN_PARTS, asked, manager, place

from core.catalogues import completed
from core.presets import PRESETS, preset
from core.run.errors import SpecError
from core.run.history import build_history, summary
from core.run.spec import ModelSpec, RegulariserSpec, parse
from core.store.store import Store
from pages.features.live.starting import named
from tests import in_process, made_up_run

PAGE = "pages/2_Train.py"
SPEC = parse(
    {
        "name": "Sparse",
        "data": {"name": "digits"},
        "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 20}},
        "regularisers": [{"kind": "l1", "strength": 1e-3, "warmup_epochs": 3}, {"kind": "l2"}],
        "train": {"epochs": made_up_run.EPOCHS},
    }
)
CHARTS = {
    "Overview": ["loss", "accuracy", "sparsity"],
    "Layers": ["layers.Map"],
    "Weights": ["weights.ridge", "weights.near"],
    "Filters": ["filters"],
    "Measures": ["measures"],
}


def stored(events=None, spec=SPEC):
    """A run in the store, as one that another server has left there."""
    run_id, store = uuid.uuid4().hex, Store()
    events = made_up_run.events() if events is None else events
    numbered = list(enumerate(events, 1))
    made_up_run.create(store, run_id, spec, time.time())
    store.append(run_id, numbered)
    told = summary(build_history(numbered).history())
    now = time.time()
    store.set_state(run_id, events[-1]["state"], summary=told, started_at=now, finished_at=now)
    store.close()
    return run_id


def components(visit):
    """What each component of ours was last sent, by the key it has on the page."""
    return {
        each.proto.id.rpartition("-")[2]: json.loads(each.proto.bytes)
        for each in visit.get("bidi_component")
        if each.proto.bytes
    }


def texts(visit):
    kinds = ("error", "warning", "info", "caption", "markdown")
    return " ".join(str(each.value) for kind in kinds for each in getattr(visit, kind))


def metric(visit, label):
    return next(each.value for each in visit.metric if each.label == label)


@pytest.mark.parametrize("part", CHARTS)
def test_each_part_of_a_finished_run_shows_its_pictures_and_no_others(open_page, part):
    visit = open_page(PAGE, run=stored(), **place(part))
    assert not visit.exception and not visit.error
    shown = components(visit)
    assert set(CHARTS[part]) == set(shown) - {"batch"}
    assert all(message.get("alt") or message.get("tiles") for message in shown.values())


def test_the_tabs_are_what_a_run_is_looked_at_by_and_the_overview_is_the_first(open_page):
    visit = open_page(PAGE, run=stored())
    tabs = [each.label for each in visit.tabs]
    assert tabs == ["Overview", "Sparsity", "Inside", "Compress", "Take away"]
    assert "Change something and train again" in [each.label for each in visit.button] and visit.metric


@pytest.mark.parametrize("part", ["Weights", "Mistakes", "Filters", "Measures", "Take away"])
def test_an_address_of_when_each_part_was_a_tab_opens_that_part(open_page, part):
    run_id = stored()
    older, now = (open_page(PAGE, run=run_id, **asked) for asked in ({"look": part}, place(part)))
    assert texts(older) == texts(now) and components(older) == components(now)
    assert texts(older) != texts(open_page(PAGE, run=run_id))


def test_before_anything_is_made_of_it_a_network_says_what_it_takes(open_page):
    visit = open_page(PAGE, run=stored(), **place("Compress"))
    assert "Choose a way, and press its button" in texts(visit)
    sizes = {each.label: each.value for each in visit.metric}
    assert sizes["Dense storage"].endswith(" kB") and "of 712 weights" in sizes["Prunable share"]
    visit.button(key="compress.prune.make it").click().run()
    assert not visit.exception and "has left no weights" in visit.error[0].value


@pytest.mark.parametrize("part", CHARTS)
def test_a_run_of_an_older_version_shows_what_it_has(open_page, part):
    visit = open_page(PAGE, run=stored(made_up_run.events(old=True)), **place(part))
    assert not visit.exception and not visit.error
    assert ("older version" in texts(visit)) == (part in ("Weights", "Filters"))
    assert part != "Overview" or {"loss", "accuracy", "sparsity"} <= set(components(visit))


@pytest.mark.parametrize(("part", "length"), [(part, 4) for part in RUN_PARTS] + [("Layers", 2)])
def test_a_run_that_failed_at_once_has_every_tab(open_page, part, length):
    failed = {"event": "state", "state": "failed", "reason": "The loss became nan at step 3."}
    visit = open_page(PAGE, run=stored([*made_up_run.events()[:length], failed]), **place(part))
    assert not visit.exception and "The loss became nan" in texts(visit)


def test_layers_as_lines_and_by_groups(open_page):
    visit = open_page(PAGE, run=stored(), **place("Layers"))
    assert "1 of 8 filters" in texts(visit)
    for name in ("Lines", "Filters, neurons, heads"):
        way = next(each for each in visit.segmented_control if each.label == "Shown as")
        way.set_value(name).run()
        assert not visit.exception and f"layers.{name}" in components(visit)


@pytest.mark.parametrize(("epochs", "zero", "removable"), [(2, "0 of 8 filters", False), (6, "1 of 8", True)])
def test_units_can_be_taken_out_where_some_are_wholly_zero(open_page, epochs, zero, removable):
    until = [each for each in made_up_run.events() if each.get("epoch", 0) <= epochs]
    visit = open_page(PAGE, run=stored(until), **place("Layers"))
    assert zero in texts(visit) and ("These filters put out the same for" in texts(visit)) == removable


@pytest.mark.parametrize("arch", ["rnn", "attention"])
def test_only_what_can_be_taken_out_is_said_to_be(open_page, arch):
    """Neither a recurrent network's units nor those that write into attention's tokens can."""
    run_id = stored(spec=SPEC.model_copy(update={"model": ModelSpec(arch=arch)}))
    visit = open_page(PAGE, run=run_id, **place("Layers"))
    assert "1 of 8 filters" in texts(visit) and "could be taken out" not in texts(visit)


def test_what_a_run_says_of_its_figures_is_shown(open_page):
    events = made_up_run.events()
    noted = [e | {"notes": ["It is a mean."]} if e["event"] == "started" else e for e in events]
    assert "It is a mean." in [each.value for each in open_page(PAGE, run=stored(noted)).info]


def test_what_is_wrong_with_a_finished_run_is_shown_as_text(open_page):
    events = made_up_run.events()
    wrong = {"warnings": ["It is *no* better than chance."]}
    warned = [e | wrong if e["event"] == "finished" else e for e in events]
    visit = open_page(PAGE, run=stored(warned))
    assert r"It is \*no\* better than chance." in [each.value for each in visit.warning]


def test_every_near_zero_says_its_epsilon(open_page):
    run_id = stored()
    visit = open_page(PAGE, run=run_id)
    assert metric(visit, "|w| < 0.001")
    assert "|w| &lt; 0.001" in [trace["name"] for trace in components(visit)["sparsity"]["figure"]["data"]]
    visit = open_page(PAGE, run=run_id, **place("Measures"))
    assert "Near zero, |w| < 0.001" in visit.pills[0].options
    assert not any(each.label.lower() == "near zero" for each in visit.metric)


def test_each_strength_is_drawn_beneath_the_loss_and_the_sparsity(open_page):
    shown = components(open_page(PAGE, run=stored()))
    for name in ("loss", "sparsity"):
        strips = [trace["name"] for trace in shown[name]["figure"]["data"] if trace.get("yaxis") == "y2"]
        assert strips == ["λ of L1", "λ of L2"]


def test_epsilon_is_a_dial_and_every_label_says_it(open_page):
    visit = open_page(PAGE, run=stored(), **place("Weights"))
    dial = next(each for each in visit.select_slider if "ε" in each.label)
    dial.set_value(2.0**-4).run()
    near = components(visit)["weights.near"]["figure"]
    assert "0.062" in near["layout"]["yaxis"]["title"]["text"]
    assert components(visit)["weights.ridge"]["figure"]["layout"]["shapes"][0]["x0"] == 2.0**-4
    next(each for each in visit.selectbox if each.label == "Weights of").set_value("fc").run()
    assert not visit.exception


def test_filters_of_an_ended_run_can_be_followed_back(open_page):
    visit = open_page(PAGE, run=stored(), **place("Filters"))
    assert "1 wholly zero" in texts(visit) and "In other layers" not in texts(visit)
    assert [tile["caption"] for tile in components(visit)["filters"]["tiles"]].count("gone") == 1
    next(each for each in visit.select_slider if each.label == "After epoch").set_value(1).run()
    assert "after epoch 1: 0 wholly zero" in texts(visit)


def test_what_has_gone_in_other_layers_is_of_the_epoch_that_is_shown(open_page):
    events = copy.deepcopy(made_up_run.events())
    for event in events:
        if event["event"] == "epoch" and event["epoch"] > 3:
            event["sparsity"]["layers"]["fc"]["groups"]["neurons"]["zero"] = 5
    visit = open_page(PAGE, run=stored(events), **place("Filters"))
    assert "In other layers 5 of 20 neurons of fc are gone by then" in texts(visit)
    next(each for each in visit.select_slider if each.label == "After epoch").set_value(1).run()
    assert "In other layers" not in texts(visit)


def test_each_measure_has_its_definition_one_click_away(open_page):
    visit = open_page(PAGE, run=stored(), **place("Measures"))
    for name in ("hoyer", "prunable", "effective_rank", "sparse"):
        visit.pills[0].set_value(name).run()
        assert not visit.exception and len(visit.latex) == 1
        assert components(visit)["measures"]["figure"]["data"]
        assert ("(95 %: 80.0 to 94.0 %)" in texts(visit)) == (name == "prunable")
    assert "The sparser the network, the smaller" in texts(visit)
    visit.pills[0].set_value("dense").run()
    assert "however sparse" in texts(visit) and "The sparser the network" not in texts(visit)
    assert "Looking for" not in texts(visit)
    events = [{k: v for k, v in event.items() if k != "prunable"} for event in made_up_run.events()]
    visit = open_page(PAGE, run=stored(events), **place("Measures"))
    assert "Looking for the prunable share takes as long as 0.62 epochs" in texts(visit)


def places(visit):
    """What stands beneath each other on the page: where a fragment finds its place again."""
    return [type(each).__name__ for each in visit.main.children.values()]


def test_a_run_has_the_same_places_while_it_goes_and_after(open_page):
    """A fragment's last turn may come when the page is drawn for a run that has ended. It must not stand
    where that says something else: the warning that a strength of 0 changes nothing, for one."""
    idle = SPEC.model_copy(
        update={
            "name": "",
            "regularisers": (RegulariserSpec(kind="l1", strength=0.0, solver="proximal"),),
            "train": SPEC.train.model_copy(update={"epochs": 1000, "device": "cpu"}),
        }
    )
    run_id = manager().submit(completed(idle))
    manager().wait_for_step(run_id, 60)
    running = open_page(PAGE, run=run_id)
    assert running.title[0].value.startswith("cnn 8 · ") and "Stop" in [each.label for each in running.button]
    manager().stop(run_id)
    assert manager().wait(run_id, timeout=60).state == "stopped"
    ended = open_page(PAGE, run=run_id)
    assert "Stop" not in [each.label for each in ended.button]
    assert places(running) == places(ended) and places(ended).count("Block") >= 4
    assert not ended.main.children[max(ended.main.children)].warning  # in a place of its own, above


def test_recent_runs_of_one_name_are_told_apart(open_page):
    this, failed = stored(), {"event": "state", "state": "failed", "reason": "No."}
    stored([*made_up_run.events()[:2], failed], SPEC.model_copy(update={"name": ""}))
    links = [each.proto.label for each in open_page(PAGE, run=this).get("page_link")]
    assert "**▸ 75.0 % · Sparse**" in links
    hints = [each.proto.help for each in open_page(PAGE, run=this).get("page_link")]
    assert any("validation accuracy 75.0 % (15 of 20; 53–89)" in each for each in hints)
    assert any(each.startswith("cnn 8 · L1 (lasso)") for each in links)  # it has no name, and no epoch


def test_a_preset_says_what_to_watch_and_nothing_else_does(open_page):
    unchanged = open_page(PAGE, run=stored(spec=completed(preset("l1-sparse"))))
    assert PRESETS["l1-sparse"].watch in texts(unchanged)
    changed = completed(preset("l1-sparse").model_copy(update={"seed": 5}))
    assert PRESETS["l1-sparse"].watch not in texts(open_page(PAGE, run=stored(spec=changed)))


def test_a_preset_that_was_changed_loses_its_name():
    assert named(preset("l1-sparse")).name == "L1 makes it sparse"
    assert named(preset("l1-sparse").model_copy(update={"seed": 5})).name == ""
    assert named(SPEC).name == "Sparse"  # a person's own


def test_while_it_runs_the_tabs_are_there_too(open_page):
    long = SPEC.model_copy(update={"train": SPEC.train.model_copy(update={"epochs": 1000, "device": "cpu"})})
    run_id = manager().submit(long)
    manager().wait_for_step(run_id, 60)
    for part in RUN_PARTS:
        visit = open_page(PAGE, run=run_id, **place(part))
        assert not visit.exception
        assert any("epoch" in each.proto.text for each in visit.get("progress"))  # how far it is, in each
    manager().stop(run_id)
    assert manager().wait(run_id, timeout=60).state == "stopped"


def test_a_strength_of_zero_is_a_run_like_any_other(open_page):
    still = SPEC.model_copy(
        update={
            "regularisers": (RegulariserSpec(kind="l1", strength=0.0, solver="proximal"),),
            "train": SPEC.train.model_copy(update={"epochs": 1, "device": "cpu"}),
        }
    )
    run_id = manager().submit(still)
    assert manager().wait(run_id, timeout=60).state == "finished"
    for part in RUN_PARTS:
        visit = open_page(PAGE, run=run_id, **place(part))
        assert not visit.exception
        assert part != "Overview" or metric(visit, "Exact zeros") == "0.0 %"
    assert asked(visit, "run") == run_id


def test_a_strength_that_kills_every_weight_is_said_with_what_to_try(open_page):
    deadly = SPEC.model_copy(
        update={
            "regularisers": (RegulariserSpec(kind="l1", strength=100.0, solver="proximal"),),
            "train": SPEC.train.model_copy(update={"epochs": 1, "device": "cpu"}),
        }
    )
    run_id = manager().submit(deadly)
    assert manager().wait(run_id, timeout=60).state == "finished"
    for part in RUN_PARTS:
        visit = open_page(PAGE, run=run_id, **place(part))
        assert not visit.exception
        assert part != "Overview" or metric(visit, "Exact zeros") == "100.0 %"
        assert "Every weight is zero" in texts(visit) and "Try" in texts(visit)


def test_the_epoch_whose_weights_are_saved_is_the_one_that_is_shown(open_page):
    events = made_up_run.events()
    chosen = next(e for e in events if e.get("event") == "epoch" and e["epoch"] == 2)
    chosen["validation_accuracy"] = 0.4321
    told = [e | {"result": chosen} if e["event"] == "finished" else e for e in events]
    visit = open_page(PAGE, run=stored(told))
    assert "43.2 %" in [metric.value for metric in visit.metric]
    assert any("Figures of epoch 2, whose weights are saved" in each.value for each in visit.caption)
    assert not any("Figures of epoch" in each.value for each in open_page(PAGE, run=stored()).caption)


def test_runs_of_one_name_are_told_apart_by_seed_or_time(open_page):
    spec = SPEC.model_copy(update={"name": "Alike"})
    ids = [stored(spec=spec.model_copy(update={"seed": seed})) for seed in (0, 0, 1)]
    links = [each.proto.label for each in open_page(PAGE, run=ids[2]).get("page_link")]
    alike = [each for each in links if "Alike" in each]
    assert "**▸ 75.0 % · Alike · seed 1**" in alike
    assert sum(bool(re.search(r"Alike · \d\d:\d\d$", each)) for each in alike) == 2


def test_a_run_is_named_deleted_and_brought_back(open_page):
    run_id = stored()
    visit = open_page(PAGE, run=run_id)
    next(each for each in visit.text_input if each.label == "Name").set_value("Renamed <b>").run()
    assert visit.title[0].value.startswith("Renamed") and manager().view(run_id).name == "Renamed <b>"
    next(each for each in visit.button if each.key == "delete").click().run()
    assert manager().view(run_id) is None and "run" not in visit.query_params
    assert any("Deleted" in each.value for each in visit.info)
    next(each for each in visit.button if each.key == "undelete").click().run()
    assert manager().view(run_id) is not None and visit.query_params["run"] in (run_id, [run_id])


def test_a_deleted_run_is_brought_back_at_its_address_by_whoever_may(open_page, monkeypatch):
    run_id = stored()
    manager().delete(run_id)
    visit = open_page(PAGE, run=run_id)  # a visit that has not deleted it, as after a reload
    assert any("Deleted" in each.value for each in visit.info) and not visit.warning
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("pages.features.frame.visitor.place_of_address", lambda address: "pupil")
        other = open_page(PAGE, run=run_id)
        assert "no such run" in other.warning[0].value and not [
            b for b in other.button if b.key == "undelete"
        ]
    next(each for each in visit.button if each.key == "undelete").click().run()
    assert manager().view(run_id) is not None and visit.title[0].value


def test_a_run_that_went_on_is_asked_anew_for_its_mistakes(open_page, monkeypatch):
    asked, run_id = [], stored()

    def ask(kind, **args):
        asked.append(args)
        raise SpecError("", "Not now.")

    monkeypatch.setattr("pages.features.live.mistakes_part.has_weights", lambda run_id: True)
    monkeypatch.setattr("pages.features.live.mistakes_part.ask", ask)
    open_page(PAGE, run=run_id, **place("Mistakes"))
    view = manager().view(run_id)
    assert [each["version"] for each in asked] == [view.version] and view.version > 1


def test_only_its_address_or_this_machine_changes_and_stops_a_run(open_page, monkeypatch):
    ended = stored()
    monkeypatch.setattr("pages.features.frame.visitor.place_of_address", lambda address: "pupil")
    assert not [each for each in open_page(PAGE, run=ended).button if each.key == "delete"]
    theirs, his = (manager().submit(SPEC, visitor=f"{whose}/1") for whose in ("other", "pupil"))
    for run_id, may in ((theirs, False), (his, True)):
        assert bool([each for each in open_page(PAGE, run=run_id).button if each.key == "stop"]) == may
        manager().stop(run_id)


def test_the_mistakes_of_a_run_are_shown_with_their_images_and_can_be_taken_home(open_page, monkeypatch):
    in_process.answers(monkeypatch)
    spec = completed(parse({"data": {"name": "digits"}, "model": {"arch": "mlp", "params": {"hidden": [8]}}}))
    run_id = manager().submit(spec.model_copy(update={"train": spec.train.model_copy(update={"epochs": 2})}))
    manager().wait(run_id, timeout=120)
    visit = open_page(PAGE, run=run_id, **place("Mistakes"))
    assert not visit.exception and not visit.error
    said = next(each.value for each in visit.markdown if "in 359 validation images" in each.value)
    count = int(re.search(r"\*\*([\d,]+) mistakes", said)[1].replace(",", ""))
    result = manager().view(run_id).history.result
    assert count == 359 - round(359 * result["validation_accuracy"])
    tiles = components(visit)["mistakes"]["tiles"]
    assert len(tiles) == 18 and "→" in tiles[0]["caption"]
    assert any(each.proto.label == "Predictions (CSV)" for each in visit.get("download_button"))
    chosen = next(each for each in visit.selectbox if each.label == "Images of")
    chosen.select_index(1).run()
    assert (
        not visit.exception and len({each["caption"] for each in components(visit)["mistakes"]["tiles"]}) == 1
    )


@pytest.mark.parametrize(
    ("host", "bound", "told"),
    [
        ("localhost", "localhost", "http://localhost:8501/Train?run="),
        ("localhost", "0.0.0.0", "http://192.168.7.7:8501/Train?run="),
        ("augury.school", "0.0.0.0", "http://augury.school:8501/Train?run="),
    ],
)
def test_a_runs_link_is_one_that_other_devices_reach(open_page, monkeypatch, host, bound, told):
    from pages.features.frame import share

    monkeypatch.setattr(share, "addresses", lambda: ["192.168.7.7"])
    asked = share.st.config.get_option
    monkeypatch.setattr(
        share.st.config, "get_option", lambda name: bound if name == "server.address" else asked(name)
    )
    monkeypatch.setattr(type(share.st.context), "url", f"http://{host}:8501/Train")
    run_id = stored()
    visit = open_page(PAGE, run=run_id)
    assert not visit.exception
    assert f"{told}{run_id}" in [each.value for each in visit.code]
    drawn = [each.proto.body for each in visit.get("html") if "QR" in each.proto.body]
    assert len(drawn) == (bound != "localhost")


def test_a_run_that_waits_says_how_long_those_before_it_take(open_page):
    stored(spec=SPEC)  # ended: how long one like it takes
    ids = [manager().submit(SPEC.model_copy(update={"seed": seed})) for seed in range(3)]
    visit = open_page(PAGE, run=ids[2])
    said = [each.proto.text for each in visit.get("progress")]
    for run_id in ids:
        manager().stop(run_id)
    assert any(
        re.match(r"Queued\. It waits\\?: 2 runs are before it, (some seconds|about .+)\.", each)
        for each in said
    ), said
