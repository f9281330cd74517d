"""The Runs page: the list, its filters, what is done with a run, and a comparison by its address."""

import pytest

from core.catalogues import completed
from core.run.history import build_history, summary
from core.run.spec import parse
from core.store.find import Query
from tests import made_up_run
from tests.pages.test_pages_run import SPEC, components, stored, texts
from tests.pages.visiting import manager

PAGE = "pages/3_Runs.py"
TINY = {
    "data": {"name": "digits", "train_images": 100},
    "model": {"arch": "mlp", "params": {"hidden": [8]}},
    "train": {"epochs": 2, "device": "cpu"},
}


def trained(**change):
    run_id = manager().submit(completed(parse(TINY | change)))
    assert manager().wait(run_id, 120).state == "finished"
    return run_id


def table(visit):
    return next(each.value for each in visit.dataframe if "state" in each.value.columns)


def test_an_empty_list_says_what_to_do(open_page):
    visit = open_page(PAGE)
    assert "No run yet" in visit.info[0].value and visit.get("page_link")


def test_the_list_has_each_run_and_a_search_finds_its_words_note_and_tags(open_page):
    one = trained(name="First try")
    two = trained(name="<b>Second</b>", seed=1, regularisers=[{"kind": "l1", "strength": 0.01}])
    manager().annotate(one, "the one with the odd split", ["homework"])
    manager().star(two)
    visit = open_page(PAGE)
    rows = table(visit)
    assert list(rows["run"]) == ["<b>Second</b>", "First try"] and list(rows["★"]) == ["★", ""]
    told = manager().view(two).history.result
    assert rows["accuracy"][0] == 100 * told["validation_accuracy"]
    assert rows["zeros"][0] == 100 * told["sparsity"]["exact"] and len(rows["curve"][0]) == 2
    assert "seed 1" in rows["differs from the one before"][0]
    for text, found in (
        ("odd SPLIT", ["First try"]),
        ("homework", ["First try"]),
        ("lasso", ["<b>Second</b>"]),
    ):
        visit.text_input(key="runs.search").set_value(text).run()
        assert list(table(visit)["run"]) == found, text
    visit.text_input(key="runs.search").set_value("nothing like it").run()
    assert "Take a filter back" in visit.info[0].value
    visit.text_input(key="runs.search").set_value("").run()
    visit.selectbox(key="runs.Regulariser").set_value("none").run()
    assert list(table(visit)["run"]) == ["First try"]
    visit.selectbox(key="runs.Regulariser").set_value("any").run()
    assert len(table(visit)) == 2 and not visit.exception


def test_runs_are_compared_by_their_address(open_page):
    one, two = trained(name="Alike"), trained(name="Alike", seed=1, optimiser={"kind": "sgd"})
    visit = open_page(PAGE, runs=f"{one},{two},{one},nonsense")
    assert visit.title[0].value == "Compare" and not visit.warning
    results = next(each.value for each in visit.dataframe if "validation accuracy" in each.value.columns)
    assert list(results["run"]) == ["Alike, seed 0", "Alike, seed 1"]
    shares = [manager().view(each).history.result["validation_accuracy"] for each in (one, two)]
    for share, said in zip(shares, results["validation accuracy"], strict=True):
        assert said.startswith(f"{100 * share:.1f} % (") and ("highest" in said) == (share == max(shares))
    differs = next(each.value for each in visit.dataframe if "setting" in each.value.columns)
    assert "Seed" in set(differs["setting"])
    assert any("the noise of two different sets of images" in each.value for each in visit.markdown)
    links = [each.proto.label for each in visit.get("page_link")]
    assert "Alike, seed 0" in links and "All runs" in links


def test_no_sentence_compares_a_run_that_was_cut(open_page):
    whole, cut = (
        trained(),
        manager().submit(completed(parse(TINY | {"train": {"epochs": 1000, "device": "cpu"}}))),
    )
    manager().wait_for_step(cut, 60)
    manager().stop(cut)
    manager().wait(cut, 60)
    visit = open_page(PAGE, runs=f"{whole},{cut}")
    assert not visit.exception and not any(
        "the noise of these images" in each.value for each in visit.markdown
    )


@pytest.mark.parametrize("asked", ["{one}", "{one}," + "0" * 32])
def test_a_comparison_of_too_few_says_so(open_page, asked):
    one = trained()
    visit = open_page(PAGE, runs=asked.format(one=one))
    assert "two to eight" in visit.info[0].value
    assert bool(visit.warning) == ("0" * 32 in asked)


def test_a_run_that_has_ended_no_epoch_and_one_of_another_version_are_no_trouble(open_page):
    store = manager()._store
    ids = []
    for i, events in enumerate((made_up_run.events()[:2], made_up_run.events())):
        run_id = f"{i + 1:032x}"
        made_up_run.create(
            store, run_id, parse({"model": {"arch": "gone"}, "name": f"old {i}"}), float(i + 1)
        )
        store.append(
            run_id, list(enumerate([*events, {"event": "state", "state": "failed", "reason": ""}], 1))
        )
        store.set_state(run_id, "failed")
        ids.append(run_id)
    visit = open_page(PAGE, runs=",".join(ids))
    results = next(each.value for each in visit.dataframe if "validation accuracy" in each.value.columns)
    assert results["validation accuracy"][0] == "no epoch has ended"
    assert len(table(open_page(PAGE))) == 2


def test_runs_are_sorted_filtered_and_deleted(open_page):
    store = manager()._store
    for i in range(3):
        run_id = f"{i + 1:032x}"
        made_up_run.create(
            store, run_id, completed(parse(TINY | {"name": f"run {i}", "seed": i})), float(i + 1)
        )
        told = summary(build_history(enumerate(made_up_run.events(), 1)).history())
        told["result"] = told["result"] | {"validation_accuracy": [0.5, 0.9, 0.7][i]}
        store.set_state(run_id, "finished", summary=told)
    visit = open_page(PAGE)
    assert list(table(visit)["run"]) == ["run 2", "run 1", "run 0"]
    visit.selectbox(key="runs.sort").set_value("accuracy").run()
    assert list(table(visit)["run"]) == ["run 1", "run 2", "run 0"]
    # An earlier run of the same visit, wherever it stands in the list.
    assert list(table(visit)["differs from the one before"]) == ["seed 1", "seed 2", ""]
    for i in (1, 2):
        manager().delete(f"{i:032x}")
    assert manager().find(Query(), 10)[1] == 1


def test_many_runs_come_a_page_at_a_time(open_page, monkeypatch):
    monkeypatch.setattr("pages.features.runs.listing.PAGE", 2)
    store = manager()._store
    for i in range(5):
        made_up_run.create(
            store, f"{i + 1:032x}", completed(parse(TINY | {"name": f"run {i}"})), float(i + 1)
        )
        store.set_state(f"{i + 1:032x}", "failed")
    visit = open_page(PAGE)
    assert list(table(visit)["run"]) == ["run 4", "run 3"]
    assert any("1–2 of 5 runs" in each.value for each in visit.caption)
    visit.button(key="runs.next").click().run()
    visit.button(key="runs.next").click().run()
    assert list(table(visit)["run"]) == ["run 0"] and visit.button(key="runs.next").disabled
    visit.text_input(key="runs.search").set_value("run").run()  # another question begins at its first page
    assert list(table(visit)["run"]) == ["run 4", "run 3"]


def test_a_newest_run_that_cannot_be_read_hides_no_other(open_page):
    store = manager()._store
    for i in range(2):
        made_up_run.create(
            store, f"{i + 1:032x}", completed(parse(TINY | {"name": f"run {i}"})), float(i + 1)
        )
        store.set_state(f"{i + 1:032x}", "failed")
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"update runs set spec='{{\"newkey\": 1}}' where id='{2:032x}'")
    assert list(table(open_page(PAGE))["run"]) == ["run 0"]


def ids(visit):
    """The runs that are points."""
    return [run for trace in components(visit)["runs"]["figure"]["data"] for run in trace.get("ids", ())]


def test_every_finished_run_on_the_same_images_is_a_point(open_page):
    this, other = stored(), stored(spec=SPEC.model_copy(update={"name": "Other", "seed": 1}))
    fewer = stored(spec=SPEC.model_copy(update={"data": SPEC.data.model_copy(update={"train_images": 50})}))
    elsewhere = stored(spec=parse({"name": "Elsewhere"}))
    held_out = SPEC.data.model_copy(update={"validation_share": 0.4})
    others = stored(spec=SPEC.model_copy(update={"data": held_out}))
    stopped = stored([*made_up_run.events()[:-1], {"event": "state", "state": "stopped", "reason": ""}])
    visit = open_page(PAGE, view="Chart", beside=this)
    assert set(ids(visit)) == {this, other, fewer} and "ringed" in texts(visit)
    assert stopped not in ids(visit)
    choice = next(each for each in visit.selectbox if each.label == "Runs on the same images")
    assert len(choice.options) == 3 and "digits, 20.0 % kept for validation (3)" in choice.options
    seen = set()
    for option in choice.options:
        choice.set_value(option).run()
        seen |= set(ids(visit))
    assert seen == {this, other, fewer, elsewhere, others} and not visit.exception


def test_filters_choose_the_points_and_one_that_is_picked_is_opened(open_page):
    one, two = stored(), stored(spec=SPEC.model_copy(update={"name": "Other", "regularisers": ()}))
    visit = open_page(PAGE, view="Chart")
    assert set(ids(visit)) == {one, two}
    visit.selectbox(key="runs.Regulariser").set_value("none").run()
    assert ids(visit) == [two]
    manager().delete(two)
    visit.run()
    assert "No run is like this" in visit.info[0].value


def test_a_run_leads_to_itself_among_the_others(open_page):
    this = stored()
    visit = open_page("pages/2_Train.py", run=this, look="Sparsity")
    queries = [each.proto.query_string for each in visit.get("page_link")]
    assert f"view=Chart&beside={this}" in queries
    visit = open_page(PAGE, view="Chart", beside="nonsense")
    assert ids(visit) == [this] and "ringed" not in texts(visit)
