"""A job on a page: asked for, watched, cancelled, found again; a sentence where it was refused or failed."""

import pytest
from streamlit.testing.v1 import AppTest
from visiting import manager

from core.jobs import kinds
from core.jobs.kinds import KINDS, Kind
from core.run.errors import SpecError
from core.run.events import state
from core.run.spec import RunSpec

PACE = {}  # what the job of these tests does next, by the word it is asked for


def told(spec, inputs, control, out):
    """A job that says a row, and waits to be told how to end."""
    yield {"event": "progress", "done": 1, "of": 4, "seconds_left": 12.0, "what": "Counting <b>"}
    yield {"event": "row", "word": inputs["word"]}
    yield PACE[inputs["word"]](control)


def until_stopped(control):
    assert control.stop.wait(30)
    return state("stopped")


def ends(control):
    return state("finished")


def fails(control):
    raise SpecError("", "It can't be *counted*.")


@pytest.fixture(autouse=True)
def kind(monkeypatch):
    kind = Kind(name="told", title="Told", help="For a test.", run=f"{__name__}:told")
    monkeypatch.setitem(KINDS, "told", kind)
    assert kinds.KINDS is KINDS


def visit(word, ending):
    PACE[word] = ending

    def script(word):
        import streamlit as st

        from core.run.spec import RunSpec
        from pages.features.frame.job_box import job_box, rows

        def draw(view):
            st.text(" ".join(row["word"] for row in rows(view, "word")))

        job_box(RunSpec(), "told", {"word": word}, draw, key="told", label="Count", icon=":material/add:")
        st.caption(" ".join(str(key) for key in st.session_state if str(key).startswith("augury")))

    return AppTest.from_function(script, args=(word,), default_timeout=60).run()


def labels(visit):
    return [each.label for each in visit.button]


def wait_for_a_row(run_id):
    for _ in range(600):
        if manager().view(run_id).history.rows:
            return
        manager().wait(run_id, timeout=0.05)
    raise AssertionError("the job said nothing")


def test_it_is_asked_for_watched_and_cancelled_and_what_it_said_stays():
    shown = visit("slow", until_stopped)
    assert labels(shown) == ["Count"] and not shown.text
    shown.button[0].click().run()
    (job,) = manager().live("told")
    wait_for_a_row(job.id)
    shown.run()
    bar = shown.get("progress")[0].proto
    assert bar.value == 25 and bar.text.startswith(r"Counting \<b\> · 1")
    assert labels(shown) == ["Cancel"] and shown.text[0].value == "slow"
    assert not visit("other", ends).text  # another question, another job

    another = visit("slow", until_stopped)  # whoever asks the same sees the same
    assert labels(another) == ["Cancel"]
    another.button[0].click().run()
    assert manager().wait(job.id, timeout=30).state == "stopped"
    shown.run()
    assert labels(shown) == ["Count"] and shown.text[0].value == "slow" and not shown.exception


def test_a_job_that_has_ended_is_found_again_and_a_visit_remembers_nothing():
    for word in ("one", "two"):
        shown = visit(word, ends)
        shown.button[0].click().run()
        (run,) = manager().recent(1, ("told",))
        manager().wait(run.id, timeout=30)
        assert shown.run().text[0].value == word and labels(shown) == ["Count"]
        assert [each.value for each in shown.caption] == [""]
    assert visit("one", ends).text[0].value == "one"


def test_one_that_failed_says_why_in_plain_text():
    shown = visit("bad", fails)
    shown.button[0].click().run()
    (run,) = manager().recent(1, ("told",))
    manager().wait(run.id, timeout=30)
    shown.run()
    assert shown.error[0].value == r"It can't be \*counted\*." and labels(shown) == ["Count"]


def test_a_full_queue_is_said_once(monkeypatch):
    from core.jobs import turns

    shown = visit("late", ends)
    monkeypatch.setattr(turns, "MAX_WAITING", 0)
    shown.button[0].click().run()
    assert "are waiting already" in shown.warning[0].value and not shown.exception
    assert not shown.run().warning


def test_jobs_of_other_kinds_are_no_runs(open_page):
    shown = visit("aside", ends)
    shown.button[0].click().run()
    (run,) = manager().recent(1, ("told",))
    manager().wait(run.id, timeout=30)
    train = manager().submit(RunSpec(name="A run"))
    assert [view.id for view in manager().live()] == [run.id for run in manager().recent()] == [train]
    assert {each.id for each in manager().recent(kinds=None)} == {train, run.id}
    manager().stop(train)
    opened = open_page("pages/2_Train.py", run=run.id)
    assert opened.title[0].value == KINDS["told"].title and not opened.metric
