"""The Studies page: each question can be asked, its table fills, its answer is read, and what next."""

import json
import time

import pytest

from core.catalogues import completed
from core.run.spec import parse
from core.study.questions.catalogue import QUESTIONS
from tests.pages.visiting import asked, manager
from tests.study.playing import TINY, study

PAGE = "pages/4_Studies.py"
FAST = TINY | {"data": {"name": "digits", "train_images": 60}, "train": {"epochs": 1, "device": "cpu"}}


def studies():
    from pages.features.study.manager import studies

    return studies()


def finished(question, **more):
    study_id = studies().start(study(question, FAST, **more))
    assert studies().wait(study_id, 120).state == "finished"
    return study_id


def texts(visit):
    drawn = [*visit.markdown, *visit.caption, *visit.info, *visit.warning, *visit.error]
    return "\n".join(str(each.value) for each in drawn)


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_can_be_asked_and_says_what_it_takes(open_page, question):
    visit = open_page(PAGE, ask=question)
    assert visit.metric[0].label == "Runs" and int(visit.metric[0].value.replace(",", "")) > 1
    assert visit.metric[1].value == "not measured" and "No run like these" in texts(visit)
    assert not visit.button(key="study.start").disabled and not visit.error
    assert "No study yet" in texts(visit)


def test_a_study_about_a_run_is_started_watched_and_read(open_page):
    run_id = manager().submit(completed(parse(FAST)))
    manager().wait(run_id, 60)
    visit = open_page(PAGE, ask="strength", about=run_id)
    assert "mlp 8" in texts(visit) and visit.metric[1].value != "not measured"
    visit.slider(key="study.points").set_value(4).run()
    visit.slider(key="study.folds").set_value(2).run()
    visit.text_input(key="study.name").set_value("<b>Mine</b>").run()
    visit.button(key="study.start").click().run()
    study_id = asked(visit, "study")
    assert visit.title[0].value == "\\<b\\>Mine\\</b\\>" and not visit.exception
    assert studies().wait(study_id, 120).state == "finished"
    visit = open_page(PAGE, study=study_id)
    said = texts(visit)
    assert (
        "Take λ = " in said and "(mean ± standard error, n = 2 folds" in said and "nothing chose by" in said
    )
    table = visit.dataframe[0].value
    assert list(table.columns) == ["", "fold 1", "fold 2", "test part"] and len(table) == 5
    visit.button(key="study.use").click().run()
    assert not visit.exception and "spec" in visit.query_params


@pytest.mark.parametrize(
    "question, more, says",
    [
        ("ablation", {"seeds": 2, "design": "one-at-a-time"}, "n is the number of seeds, paired"),
        ("search", {"fields": [{"path": "optimiser.lr", "low": 1e-3, "high": 1e-2}], "settings": 3}, "looks"),
        (
            "race",
            {"optimisers": [{"kind": "sgd"}, {"kind": "adam"}], "factors": [1], "seeds": 2},
            "highest mean",
        ),
        ("learning-curve", {"images": [20, 40], "seeds": 2}, "40 images give"),
        ("seeds", {"seeds": 2, "varied": ["weights"]}, "initialisation alone"),
        ("recipe", {"steps": [{"how": "shrink"}, {"how": "quantise"}]}, "All together"),
        ("distillation", {"seeds": 2, "student": {"arch": "mlp", "params": {"hidden": [4]}}}, "in 15 bins"),
    ],
)
def test_each_answer_is_drawn_and_said(open_page, question, more, says):
    visit = open_page(PAGE, study=finished(question, **more))
    assert says in texts(visit) and not visit.error and len(visit.dataframe) == 1
    listed = open_page(PAGE)
    assert QUESTIONS[question].title in str([link.proto.label for link in listed.get("page_link")])


def test_pause_and_go_on_and_delete_and_undo(open_page):
    study_id = studies().start(study("seeds", FAST | {"train": {"epochs": 30, "device": "cpu"}}, seeds=20))
    visit = open_page(PAGE, study=study_id)
    visit.button(key="study.pause").click().run()
    assert studies().view(study_id).state == "paused" and "paused" in str(visit.get("progress")[0].proto.text)
    visit.button(key="study.resume").click().run()
    assert studies().view(study_id).state == "running"
    visit.button(key="study.delete").click().run()
    assert studies().view(study_id) is None and "Deleted the study" in texts(visit)
    visit.button(key="study.undo").click().run()
    assert studies().view(study_id).state == "paused"


def test_a_longer_grid_is_asked_for_where_the_best_lies_at_the_edge(open_page):
    grid = [{"regulariser": 0, "grid": [1e-6, 1e-5, 10.0]}]  # the last kills the network
    study_id = finished("strength", strengths=grid, folds=2)
    choice = studies().view(study_id).result
    visit = open_page(PAGE, study=study_id)
    if choice["edge"]:
        visit.button(key="study.extend").click().run()
        assert len(studies().view(study_id).study.strengths[0].grid) > 3
        assert studies().wait(study_id, 120).state == "finished"
    else:
        assert not [button for button in visit.button if button.key == "study.extend"]


def test_a_written_study_is_started_or_refused_in_its_own_words(open_page):
    visit = open_page(PAGE)
    for text, says in (
        ("{", "not valid JSON"),
        (json.dumps({"question": "seeds", "base": FAST, "seeds": 99}), "above the largest"),
        (
            json.dumps(
                {"question": "seeds", "base": FAST | {"data": {"name": "folder", "path": "/etc", "side": 28}}}
            ),
            "uploads only",
        ),
    ):
        visit.text_area(key="study.written").set_value(text)
        visit.button(key="study.start_written").click().run()
        assert says in visit.error[0].value and "study" not in visit.query_params
    visit.text_area(key="study.written").set_value(
        json.dumps({"question": "seeds", "base": FAST, "seeds": 2})
    )
    visit.button(key="study.start_written").click().run()
    assert studies().wait(asked(visit, "study"), 60).state == "finished"


def test_one_run_is_timed_first_and_used(open_page):
    visit = open_page(PAGE, ask="seeds")
    visit.button(key="study.time").click().run()
    deadline = time.monotonic() + 60
    while not (runs := manager().recent(5)) or runs[0].state != "finished":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    visit = open_page(PAGE, ask="seeds")
    assert visit.metric[1].value != "not measured" and "1 more run is there already" in texts(visit)


def test_what_is_not_there_says_what_to_do(open_page):
    for gone in ("0" * 32, "x", "<script>"):
        visit = open_page(PAGE, study=gone)
        assert "no such study" in visit.warning[0].value and visit.get("page_link")
    for about in ("0" * 32, "../etc"):
        assert not open_page(PAGE, about=about, ask="nothing").error


def test_a_run_without_anything_to_switch_says_so(open_page):
    bare = parse(
        {
            "data": {"name": "digits", "train_images": 60},
            "model": {"arch": "mlp", "params": {"hidden": [8], "dropout": 0}},
            "train": {"epochs": 1, "device": "cpu"},
        }
    )
    run_id = manager().submit(completed(bare))
    manager().wait(run_id, 60)
    assert "nothing that could be left out" in texts(open_page(PAGE, ask="ablation", about=run_id))
    visit = open_page(PAGE, ask="strength", about=run_id)
    assert visit.selectbox(key="study.add").value and not visit.button(key="study.start").disabled


def test_its_runs_stand_apart_and_lead_back_to_it(open_page):
    study_id = finished("seeds", seeds=2)
    run_id = next(iter(studies().view(study_id).table.values())).run_id
    visit = open_page("pages/2_Train.py", run=run_id)
    assert "of a study" in str([link.proto.label for link in visit.get("page_link")])
    listed = open_page("pages/3_Runs.py")
    assert not [each for each in listed.dataframe if "state" in each.value.columns and len(each.value)]
    listed.toggle(key="runs.cells").set_value(True).run()
    assert len(next(each.value for each in listed.dataframe if "state" in each.value.columns)) == 2


def test_the_landing_page_tells_of_a_study_that_runs(open_page):
    study_id = studies().start(study("seeds", FAST | {"train": {"epochs": 50, "device": "cpu"}}, seeds=20))
    visit = open_page("app.py")
    assert any("How many seeds?" in str(each.proto.text) for each in visit.get("progress"))
    studies().delete(study_id)
