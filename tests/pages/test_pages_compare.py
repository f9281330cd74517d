"""A comparison part by part: layers, confusion, images, groups of seeds; and repeats from a run's page."""

import json
import re
import statistics

import numpy as np
import pytest
from scipy import stats

from core.catalogues import completed
from core.figures.overlay import colour_of
from core.measure.paired import bits
from core.run.address import encode
from core.run.spec import parse
from core.study.repeats import drawn, repeats
from core.text.repeats import mean_and_spread
from tests import made_up_run
from tests.pages.visiting import asked, manager
from tests.pages.visiting import spec_of as address_spec

PAGE, RUN = "pages/3_Runs.py", "pages/2_Train.py"
TINY = {
    "data": {"name": "digits", "train_images": 100},
    "model": {"arch": "mlp", "params": {"hidden": [8]}},
    "optimiser": {"kind": "adam", "lr": 0.01},
    "train": {"epochs": 2, "device": "cpu"},
}


def spec_of(**change):
    return completed(parse(TINY | change))


def trained(*specs, group=None):
    ids = [manager().submit(completed(spec), group=group) for spec in specs]
    assert [manager().wait(each, 120).state for each in ids] == ["finished"] * len(ids)
    return ids


def result(run_id):
    return manager().view(run_id).history.result


def table(visit, column):
    return next(each.value for each in visit.dataframe if column in each.value.columns)


def texts(visit):
    return " ".join(each.value for kind in ("markdown", "caption", "info") for each in getattr(visit, kind))


def figure(visit, key):
    """A chart's figure, as the browser is handed it."""
    for element in visit.get("bidi_component"):
        if f"compare.{key}" in element.proto.id:
            return json.loads(element.proto.bytes)["figure"]
    raise AssertionError(f"there is no chart {key}")


@pytest.fixture
def two():
    sparse = {"regularisers": [{"kind": "l1", "strength": 0.02}]}
    return trained(spec_of(name="<b>Plain"), spec_of(name="Sparse", **sparse))


def test_layers_stand_side_by_side_with_their_counts(open_page, two):
    visit = open_page(PAGE, runs=",".join(two), part="Layers")
    rows = table(visit, "layer").set_index("layer")
    assert list(rows.columns) == ["1. <b>Plain", "2. Sparse"]
    for run_id, column in zip(two, rows.columns, strict=True):
        sparsity = result(run_id)["sparsity"]
        for name, layer in [*sparsity["layers"].items(), ("whole network", sparsity)]:
            zeros, weights = map(
                int, re.match(r"([\d,]+) of ([\d,]+)", rows[column][name].replace(",", "")).groups()
            )
            assert zeros / weights == layer["exact"] and weights == layer["weights"]
    colours = [each["marker"]["color"] for each in figure(visit, "layers")["data"]]
    assert colours == [colour_of(0), colour_of(1)] and "different layers" not in texts(visit)


def test_networks_of_another_shape_have_their_own_layers(open_page):
    other = {"model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16}}}
    wide = {"model": {"arch": "mlp", "params": {"hidden": [9]}}}
    ids = trained(spec_of(), spec_of(**other), spec_of(**wide))
    visit = open_page(PAGE, runs=f"{ids[0]},{ids[1]}", part="Layers")
    assert "different layers" in texts(visit) and "–" in set(table(visit, "layer").iloc[:, 1])
    assert "different sizes" in texts(open_page(PAGE, runs=f"{ids[0]},{ids[2]}", part="Layers"))


def test_both_matrices_and_their_difference(open_page, two):
    visit = open_page(PAGE, runs=",".join(two), part="Confusion")
    ours, theirs = (np.array(manager().view(each).history.epochs[-1]["confusion"]) for each in two)
    cells = figure(visit, "matrix.difference")["data"][0]
    assert cells["z"] == (ours - theirs).tolist()
    assert (cells["colorscale"][-1][1], cells["colorscale"][0][1]) == (colour_of(0), colour_of(1))
    drawn_a = np.array([[cell or 0 for cell in row] for row in figure(visit, "matrix.A")["data"][0]["z"]])
    assert (drawn_a + np.diag(np.diag(ours)) == ours).all()
    assert f"{int(ours.sum() - ours.trace()):,} of {int(ours.sum()):,} are off the diagonal" in texts(visit)
    assert f"A has {abs(int(ours.trace() - theirs.trace()))} " in texts(visit)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": 1}, "different validation images"),
        ({"data": {"name": "mnist5k", "train_images": 100}}, "different images"),
        ({"data": {"name": "arrows", "train_images": 100}}, "different classes"),
    ],
)
def test_runs_that_were_judged_by_other_images_have_no_difference(open_page, change, why):
    ids = trained(spec_of(), spec_of(**change))
    visit = open_page(PAGE, runs=",".join(ids), part="Confusion")
    assert why in visit.info[0].value
    assert figure(visit, "matrix.A") and figure(visit, "matrix.B")
    with pytest.raises(AssertionError, match="no chart"):
        figure(visit, "matrix.difference")
    images = open_page(PAGE, runs=",".join(ids), part="Images")
    assert "image by image" in images.info[0].value and not images.dataframe


def test_images_that_one_alone_gets_right(open_page, two):
    visit = open_page(PAGE, runs=",".join(two), part="Images")
    images = manager().view(two[0]).history.validation_images
    ours, theirs = (bits(result(each)["right"], images) for each in two)
    counts = table(visit, "B right: Sparse")
    won, lost = (ours & ~theirs).bit_count(), (theirs & ~ours).bit_count()
    assert won != lost  # else it would not show that the table is turned round
    both = (ours & theirs).bit_count()
    assert counts.to_numpy().tolist() == [[both, won], [lost, images - both - won - lost]]
    assert list(counts.index) == ["A right: <b>Plain", "A wrong: <b>Plain"]
    p = stats.binomtest(lost, lost + won).pvalue
    said = texts(visit)
    assert f"They differ on {lost + won:,} images" in said
    assert (f"{100 * p:.1f} %" if p >= 0.01 else "0.") in said.replace("\\", "")
    assert (
        f"Right in A, wrong in B: {won:,} image" in said and f"Right in B, wrong in A: {lost:,} image" in said
    )
    tiles = [
        json.loads(each.proto.bytes or each.proto.json)["tiles"]
        for each in visit.get("bidi_component")
        if "only" in each.proto.id or "wrong_in" in each.proto.id
    ]
    assert [len(each) for each in tiles] == [min(18, won), min(18, lost)]
    for tile in tiles[0]:  # what B names them is not what they are
        is_one, named = tile["caption"].split(" → ")
        assert is_one != named
    assert "the surest first" in said


def test_without_weights_the_images_are_shown_and_not_what_they_are_named(open_page, two):
    from core.store.store import run_folder

    for each in two:
        for file in run_folder(each).glob("*.safetensors"):
            file.unlink()
    visit = open_page(PAGE, runs=",".join(two), part="Images")
    assert "is known while the weights" in texts(visit)
    tiles = [
        json.loads(each.proto.bytes or each.proto.json)["tiles"]
        for each in visit.get("bidi_component")
        if "wrong_in" in each.proto.id
    ]
    assert tiles and all("→" not in tile["caption"] for each in tiles for tile in each)


def test_two_of_several_are_chosen_and_the_address_keeps_them(open_page, two):
    (third,) = trained(spec_of(name="Third", seed=3, data=TINY["data"] | {"split_seed": 0}))
    ids = ",".join([*two, third])
    visit = open_page(PAGE, runs=ids, part="Images", a="3", b="2")
    counts = table(visit, "B right: Sparse")
    assert counts.index[0] == "A right: Third"
    next(each for each in visit.selectbox if each.label == "B").set_value(2).run()
    assert "same run" in visit.info[0].value and not visit.exception
    assert asked(visit, "b") == "3" and not visit.dataframe


@pytest.mark.parametrize("look", ["Overview", "Layers", "Confusion", "Images"])
def test_a_run_of_another_version_and_one_without_an_epoch_are_no_trouble(open_page, look):
    store, ids = manager()._store, []
    for i, events in enumerate(
        (made_up_run.events()[:2], made_up_run.events(), made_up_run.events(old=True))
    ):
        ids.append(f"{i + 1:032x}")
        made_up_run.create(
            store, ids[-1], parse({"model": {"arch": "gone"}, "name": f"old {i}"}), float(i + 1)
        )
        store.append(
            ids[-1], list(enumerate([*events, {"event": "state", "state": "failed", "reason": ""}], 1))
        )
        store.set_state(ids[-1], "failed")
    for asked_for in ((0, 1), (1, 2), (0, 1, 2)):
        visit = open_page(PAGE, runs=",".join(ids[i] for i in asked_for), part=look, seeds="true")
        assert not visit.exception


@pytest.mark.parametrize(
    "query",
    [
        {"part": "<script>"}, {"part": "Images", "a": "9", "b": "-1"},
        {"part": "Images", "a": "'; --", "b": "٣"},
        {"seeds": "perhaps"}, {"seeds": "true", "part": "Layers", "a": "1" * 5000},
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_no_trouble(open_page, two, query):
    visit = open_page(PAGE, runs=f"{two[0]},../../etc,{two[1]},%00,{'0' * 32}{'f' * 9000}", **query)
    assert not visit.exception and visit.title[0].value == "Compare" and visit.tabs
    assert visit.dataframe


def groups(count=3):
    """Two settings with as many seeds each, judged on the same images."""
    one, other = spec_of(name="One"), spec_of(name="Other", regularisers=[{"kind": "l1", "strength": 0.03}])
    return [trained(spec, *repeats(spec, "all", count - 1)) for spec in (one, other)]


def test_runs_stand_for_all_their_seeds_if_one_likes(open_page):
    ours, theirs = groups()
    visit = open_page(PAGE, runs=f"{ours[0]},{theirs[0]}")
    assert "validation accuracy" in table(visit, "gap, points").columns  # single runs, at first
    visit.toggle(key="seeds").set_value(True).run()
    assert not visit.exception
    rows = table(visit, "varies")
    shares = [[result(each)["validation_accuracy"] for each in group] for group in (ours, theirs)]
    assert list(rows["validation accuracy"]) == [mean_and_spread(each) for each in shares]
    assert set(rows["varies"]) == {"all but the split"}
    for group, values in zip(("One", "Other"), shares, strict=True):
        assert (
            f"{100 * statistics.fmean(values):.2f} ± {100 * statistics.stdev(values):.2f} % (n = 3)"
            in set(rows["validation accuracy"][rows["run"] == group])
        )
    interval = stats.ttest_rel(shares[1], shares[0]).confidence_interval(0.95)
    said = next(each for each in visit.markdown if "on average" in each.value)
    ends = f"95 %: {100 * interval.low:.2f} to {100 * interval.high:.2f}".replace("-", "−")
    assert ends in said.value.replace("\\", "").replace(":small[]", "") and "Paired by seed" in said.help
    assert ("more than the noise" in said.value) == (interval.low > 0 or interval.high < 0)
    lines = [each for each in figure(visit, "accuracy")["data"] if each["line"]["width"] > 1]
    medians = [statistics.median(values) for values in shares]
    assert [each["y"][-1] for each in lines] == pytest.approx([100 * each for each in medians])
    assert [each["line"]["color"] for each in lines] == [colour_of(0), colour_of(1)]
    links = {each.proto.label for each in visit.get("page_link")}
    assert (
        len([label for label in links if label.replace("\\", "").startswith("seed ")]) >= 3
    )  # each can be opened


def test_the_address_opens_the_same_groups(open_page):
    ours, theirs = groups(2)
    visit = open_page(PAGE, runs=f"{ours[0]},{theirs[1]}", seeds="true")
    assert list(table(visit, "varies")["run"]) == ["One", "Other"]


def test_groups_of_other_seeds_are_compared_by_welch(open_page):
    one, other = spec_of(name="One"), spec_of(name="Other", regularisers=[{"kind": "l1", "strength": 0.03}])
    ours = trained(one, *repeats(one, "all", 2))
    theirs = trained(*repeats(other, "all", 6)[3:])
    visit = open_page(PAGE, runs=f"{ours[0]},{theirs[0]}", seeds="true")
    shares = [[result(each)["validation_accuracy"] for each in group] for group in (ours, theirs)]
    said = next(each for each in visit.markdown if "on average" in each.value)
    interval = stats.ttest_ind(shares[1], shares[0], equal_var=False).confidence_interval(0.95)
    ends = f"{100 * interval.low:.2f} to {100 * interval.high:.2f}".replace("-", "−")
    assert "Welch" in said.help and ends in said.value


def test_what_can_not_be_compared_says_why(open_page):
    one = spec_of(name="One")
    ours = trained(one, *repeats(one, "all", 1))
    splits = trained(*repeats(one, "split", 2))
    alone = trained(spec_of(name="Alone", optimiser={"kind": "sgd"}))
    strangers = spec_of(name="Stranger", seed=1, optimiser={"kind": "sgd"})
    others = trained(strangers, *repeats(strangers, "all", 1))
    visit = open_page(PAGE, runs=",".join([ours[0], alone[0], splits[0], others[0]]), seeds="true")
    said = texts(visit)
    assert (
        "at least two seeds" in said and "the same settings" in said and "different validation images" in said
    )
    assert "on average" not in said
    rows = table(visit, "varies").set_index("run")
    assert rows["validation accuracy"]["Alone"].startswith(
        f"{100 * result(alone[0])['validation_accuracy']:.1f} %"
    )


def test_a_run_that_was_changed_is_in_no_group(open_page):
    one = spec_of(name="One")
    ours = trained(one, *repeats(one, "all", 1))
    store = manager()._store
    store._change(ours[1], digest="0" * 64)  # as a run that was edited has it
    manager()._archive.changed()
    (other,) = trained(spec_of(name="Other", optimiser={"kind": "sgd"}))
    visit = open_page(PAGE, runs=f"{ours[0]},{other}")
    assert not [each for each in visit.toggle if each.key == "seeds"]


def test_a_run_is_repeated_with_one_kind_of_chance_from_its_page(open_page):
    (run_id,) = trained(
        spec_of(name="Base", model={"arch": "mlp", "params": {"hidden": [8], "dropout": 0.0}})
    )
    visit = open_page(RUN, run=run_id)
    offered = visit.selectbox(key=f"repeat.varied.{run_id}").options
    assert offered == ["All but the split", "Data order", "Initialisation", "Split"]
    visit.selectbox(key=f"repeat.varied.{run_id}").set_value("weights").run()
    visit.slider(key=f"repeat.count.{run_id}").set_value(3).run()
    visit.button(key=f"repeat.start.{run_id}").click().run()
    assert not visit.exception and asked(visit, "run") == run_id  # where the table is that they fill
    new = [run for run in manager().recent(9) if run.id != run_id]
    assert {run.group for run in new} == {f"{run_id}-weights"} and len(new) == 2
    assert {drawn(run.spec)._replace(weights=0) for run in new} == {drawn(parse({}))}
    assert {run.name for run in new} == {"Base, seed 0, start 1", "Base, seed 0, start 2"}
    for run in new:
        assert manager().wait(run.id, 120).state == "finished"
    group = open_page(RUN, run=new[0].id)
    assert "**3 seeds** of the initialisation" in texts(group)
    visit = open_page(RUN, run=run_id)
    shares = [result(each)["validation_accuracy"] for each in (run_id, *(run.id for run in new))]
    rows = table(visit, "only this varies")
    assert rows.iloc[0].tolist()[:2] == ["initialisation", mean_and_spread(shares)]
    assert visit.button(key=f"repeat.start.{run_id}").label == "Train 4 more"  # of all but the split
    visit.selectbox(key=f"repeat.varied.{run_id}").set_value("weights").run()
    assert visit.button(key=f"repeat.start.{run_id}").label == "Train 2 more"
    visit.slider(key=f"repeat.count.{run_id}").set_value(3).run()
    assert visit.button(key=f"repeat.start.{run_id}").disabled


def test_is_it_the_split_or_the_start(open_page):
    base = spec_of(name="Base")
    (run_id,) = trained(base)
    starts, splits = (trained(*repeats(base, kind, 3)) for kind in ("weights", "split"))
    visit = open_page(RUN, run=run_id)
    rows = table(visit, "only this varies").set_index("only this varies")
    for name, ids in (("initialisation", starts), ("split", splits)):
        shares = [result(each)["validation_accuracy"] for each in (run_id, *ids)]
        assert f"± {100 * statistics.stdev(shares):.2f} % (n = 4)" in rows["validation accuracy"][name]
        assert rows["standard deviation (points)"][name] == f"{100 * statistics.stdev(shares):.2f}"
    said = texts(visit)
    assert "can't be told with n = 4 and 4" in said or "moves it more than" in said


def test_two_repeats_of_one_run_stand_in_one_table_from_their_start_on(open_page):
    (run_id,) = trained(spec_of(name="Base", train={"epochs": 2}))
    visit = open_page(RUN, run=run_id)
    started = {}
    for kind in ("weights", "split"):
        before = {run.id for run in manager().recent(20)}
        visit.selectbox(key=f"repeat.varied.{run_id}").set_value(kind).run()
        visit.slider(key=f"repeat.count.{run_id}").set_value(3).run()
        visit.button(key=f"repeat.start.{run_id}").click().run()
        assert not visit.exception and asked(visit, "run") == run_id
        started[kind] = [run.id for run in manager().recent(20) if run.id not in before]
        assert len(started[kind]) == 2
    for new in (*started["weights"], *started["split"]):
        assert manager().wait(new, 120).state == "finished"
    for page in (run_id, started["split"][0]):
        visit = open_page(RUN, run=page)
        rows = table(visit, "only this varies").set_index("only this varies")
        assert list(rows.index) == ["initialisation", "split"] and "to come" not in rows.columns
        for name, kind in (("initialisation", "weights"), ("split", "split")):
            shares = [result(each)["validation_accuracy"] for each in (run_id, *started[kind])]
            assert rows["validation accuracy"][name] == mean_and_spread(shares)
    assert "to “Base”" in texts(visit).replace(chr(92), "")
    assert f"run={run_id}" in [
        each.proto.query_string for each in visit.get("page_link") if "repeated" in each.proto.label
    ]


def test_repeats_that_wait_are_in_the_table_with_a_way_to_watch_and_back(open_page):
    base = spec_of(name="Base")
    (run_id,) = trained(base)
    long = completed(
        base.model_copy(update={"name": "First", "train": base.train.model_copy(update={"epochs": 1000})})
    )
    busy = manager().submit(long)
    manager().wait_for_step(busy, 60)
    visit = open_page(RUN, run=run_id)
    visit.selectbox(key=f"repeat.varied.{run_id}").set_value("split").run()
    visit.slider(key=f"repeat.count.{run_id}").set_value(3).run()
    visit.button(key=f"repeat.start.{run_id}").click().run()
    rows = table(visit, "only this varies")
    assert list(rows["to come"]) == ["2 runs"] and list(rows["validation accuracy"]) == [""]
    repeat = next(run for run in manager().recent(9) if run.group == f"{run_id}-split")
    page = open_page(RUN, run=repeat.id)  # which waits
    back = [each.proto for each in page.get("page_link") if each.proto.label == "All repeats of Base"]
    assert [each.query_string for each in back] == [f"run={run_id}"]
    for run in manager().live():
        manager().stop(run.id)
        manager().wait(run.id, 60)


@pytest.mark.parametrize("state", ["failed", "stopped"])
def test_repeats_of_a_run_that_did_not_finish_are_counted_without_it(open_page, state):
    run_id = f"{1:032x}"
    store = manager()._store
    made_up_run.create(store, run_id, spec_of(), 1.0)
    events = [*made_up_run.events()[:-2], {"event": "state", "state": state, "reason": ""}]
    store.append(run_id, list(enumerate(events, 1)))
    store.set_state(run_id, state)
    visit = open_page(RUN, run=run_id)
    assert visit.slider(key=f"repeat.count.{run_id}").label == "Runs in all"
    assert visit.button(key=f"repeat.start.{run_id}").label == "Train 5 more"


def test_a_run_is_compared_from_its_page_in_two_clicks(open_page, two):
    (elsewhere,) = trained(spec_of(data={"name": "mnist5k", "train_images": 100}))
    visit = open_page(RUN, run=two[0])
    queries = [
        each.proto.query_string for each in visit.get("page_link") if "runs=" in each.proto.query_string
    ]
    assert any(two[1] in each and two[0] in each for each in queries)
    assert not any(elsewhere in each for each in queries)


def test_of_runs_that_differ_in_their_seeds_one_is_offered_and_that_with_the_same_seeds(open_page, two):
    other = manager().view(two[1]).spec
    repeated = trained(*repeats(other, "all", 2))
    visit = open_page(RUN, run=two[0])
    offered = [
        each.proto.query_string
        for each in visit.get("page_link")
        if "runs=" in each.proto.query_string and ":" in each.proto.label
    ]
    assert [two[1] in each for each in offered] == [True]
    visit = open_page(RUN, run=repeated[0])
    offered = [each.proto.query_string for each in visit.get("page_link") if "Plain" in each.proto.label]
    assert any(two[0] in each for each in offered)


def test_the_form_says_which_seeds_are_held_apart_and_lets_them_go(open_page):
    visit = open_page(RUN, spec=encode(spec_of(seeds={"order": 7})))
    assert "held apart" in texts(visit) and "data order 7" in texts(visit)
    button = next(each for each in visit.button if each.label == "One seed for all")
    button.click().run()
    assert address_spec(visit).seeds.is_empty and "held apart" not in texts(visit)
    assert not [each for each in visit.button if each.label == "One seed for all"]


def test_the_lab_draws_by_the_seed_of_augmentation(open_page):
    spec = spec_of(augment={"ops": [{"op": "RandomAffine"}]}, seeds={"augment": 7})
    visit = open_page("pages/1_Augment.py", spec=encode(spec))
    field = next(each for each in visit.number_input if each.label == "Seed")
    assert field.value == 7
    field.set_value(8).run()
    assert address_spec(visit).seeds.augment == 8 and address_spec(visit).seed == 0


def test_a_mean_over_exams_is_compared_with_another_such_mean_alone(open_page):
    one, other = spec_of(name="One"), spec_of(name="Other", optimiser={"kind": "sgd"})
    ours, theirs = trained(one, *repeats(one, "all", 1)), trained(other, *repeats(other, "split", 1))
    visit = open_page(PAGE, runs=f"{ours[0]},{theirs[0]}", seeds="true")
    assert "different validation images" in texts(visit) and "on average" not in texts(visit)
    third = spec_of(name="Third", regularisers=[{"kind": "l1", "strength": 0.03}])
    others = trained(third, *repeats(third, "split", 1))
    visit = open_page(PAGE, runs=f"{theirs[0]},{others[0]}", seeds="true")
    shares = [[result(each)["validation_accuracy"] for each in group] for group in (others, theirs)]
    interval = stats.ttest_rel(*shares).confidence_interval(0.95)
    ends = f"{100 * interval.low:.2f} to {100 * interval.high:.2f}".replace("-", "−")
    said = next(each for each in visit.markdown if "on average" in each.value)
    assert ends in said.value and "Paired by seed" in said.help
