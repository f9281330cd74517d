"""Runs are found by the database as a person with all rows before him would find them."""

from __future__ import annotations

import json
import time

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.catalogues import completed
from core.run.history import build_history, summary
from core.run.spec import parse
from core.store.find import NONE, Query
from core.store.store import Store
from core.store.tables import runs
from core.text.describe import in_words, title
from tests import made_up_run
from tests.postgres import postgres

NAMES = ["Größe 100%", "größe", "a_b", "Straße", "", "x|y", "Ünï", "L1"]
TAGS = ["week 1", 'quo"te', "Ä", "50%"]
KINDS = [[], ["l1"], ["l1", "ema"], ["l2"]]
SUMMARY = summary(build_history(enumerate(made_up_run.events(), 1)).history())


@pytest.fixture(scope="module")
def address():
    with postgres() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request, tmp_path_factory):
    if request.param == "sqlite":
        made = Store(f"sqlite:///{tmp_path_factory.mktemp('find') / 'augury.db'}")
    else:
        made = Store(request.getfixturevalue("address"))
    yield made
    made.close()


def emptied(store):
    with store.engine.begin() as connection:
        connection.execute(sa.delete(runs))


RUN = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "arch": st.sampled_from(["cnn", "mlp"]),
        "data": st.sampled_from(["mnist5k", "digits"]),
        "kinds": st.sampled_from(KINDS),
        "state": st.sampled_from(["queued", "finished", "failed"]),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2, unique=True),
        "note": st.sampled_from(["", "Try again_", "50%"]),
        "visitor": st.sampled_from(["here/a", "here/b"]),
        "starred": st.booleans(),
        "accuracy": st.sampled_from([None, 0.25, 0.5, 0.75]),
        "deleted": st.booleans(),
    }
)
QUERY = st.builds(
    Query,
    words=st.sampled_from(
        ["", "GRÖSSE", "größe", "100%", "a_b", "cnn again", "_", "%", "l1", "strasse", "straße"]
    ),
    state=st.sampled_from(["", "finished"]),
    data=st.sampled_from(["", "digits"]),
    arch=st.sampled_from(["", "mlp"]),
    regulariser=st.sampled_from(["", "l1", "l2", "ema", NONE]),
    tag=st.sampled_from(["", *TAGS]),
    visitor=st.sampled_from(["", "here/a"]),
    starred=st.booleans(),
    sort=st.sampled_from(["newest", "oldest", "accuracy", "zeros", "fastest", "name"]),
)


def stored(store, number, run):
    choices = {
        "name": run["name"],
        "model": {"arch": run["arch"]},
        "data": {"name": run["data"]},
        "regularisers": [{"kind": kind} for kind in run["kinds"]],
    }
    spec = completed(parse(choices))
    run_id = f"{number:032x}"
    store.create(run_id, spec, 1000.0 + number, visitor=run["visitor"])
    if run["accuracy"] is not None:
        result = SUMMARY["result"] | {"validation_accuracy": run["accuracy"]}
        store.set_state(run_id, run["state"], summary=SUMMARY | {"result": result})
    else:
        store.set_state(run_id, run["state"])
    store.annotate(run_id, run["note"], run["tags"])
    store.star(run_id, run["starred"])
    if run["deleted"]:
        store._change(run_id, deleted_at=time.time())
    return spec


def wanted(run, spec, query):
    """By Python's own means."""
    text = " ".join([title(spec), in_words(spec), run["note"], *run["tags"]]).casefold()
    return (
        not run["deleted"]
        and all(word in text for word in query.words.casefold().split())
        and query.state in ("", run["state"])
        and query.data in ("", run["data"])
        and query.arch in ("", run["arch"])
        and (not query.regulariser or query.regulariser in (run["kinds"] or [NONE]))
        and (not query.tag or query.tag in run["tags"])
        and query.visitor in ("", run["visitor"])
        and (run["starred"] or not query.starred)
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(RUN, max_size=8), QUERY)
def test_what_is_found_is_what_is_there(store, made, query):
    emptied(store)
    specs = [stored(store, number, run) for number, run in enumerate(made)]
    found, total = store.find(query)
    here = [i for i, (run, spec) in enumerate(zip(made, specs, strict=True)) if wanted(run, spec, query)]
    assert {int(run.id, 16) for run in found} == set(here) and total == len(here)
    figures = [run.summary["result"]["validation_accuracy"] if run.summary else -1 for run in found]
    ids = [int(run.id, 16) for run in found]
    if query.sort == "newest":
        assert ids == sorted(ids, reverse=True)
    if query.sort == "oldest":
        assert ids == sorted(ids)
    if query.sort == "accuracy":
        assert figures == sorted(figures, reverse=True)
    one_by_one = [store.find(query, limit=1, offset=i)[0][0].id for i in range(total)]
    assert one_by_one == [run.id for run in found]
    there = store.offered()
    alive = [run for run in made if not run["deleted"]]
    assert set(there.tags) == {tag for run in alive for tag in run["tags"]}
    assert set(there.regularisers) == {kind for run in alive for kind in run["kinds"] or [NONE]}
    assert set(there.archs) == {run["arch"] for run in alive}
    before = store.before(found)
    for run in found:
        earlier = [i for i, each in enumerate(made) if i < int(run.id, 16) and not each["deleted"]
                   and each["visitor"] == run.visitor]  # fmt: skip
        assert (int(before[run.id].id, 16) if run.id in before else None) == (
            earlier[-1] if earlier else None
        )


def test_a_new_name_is_found_and_the_old_no_more(store):
    emptied(store)
    plain = {"note": "", "visitor": "", "starred": False, "accuracy": 0.5, "deleted": False, "tags": []}
    first = {"name": "First", "arch": "cnn", "data": "digits", "kinds": [], "state": "finished"}
    stored(store, 1, first | plain)
    store.rename(f"{1:032x}", "Second")
    assert store.find(Query("first"))[1] == 0
    (run,), total = store.find(Query("second"))
    assert (run.name, total) == ("Second", 1)
    assert store.find(Query(sort="accuracy"))[0][0].summary["result"]["validation_accuracy"] == 0.5


def test_rows_of_an_older_release_and_damaged_ones_are_found_or_left_out(store):
    emptied(store)
    for number, spec in enumerate(['{"name": "Old", "data": {"name": "digits"}}', "{", '{"model": 3}']):
        row = {"id": f"{number:032x}", "name": "Old", "spec": spec, "state": "finished", "created_at": 1.0,
               "owner": "", "tags": "[", "summary": json.dumps(SUMMARY) if number == 0 else "{"}  # fmt: skip
        with store.engine.begin() as connection:
            connection.execute(sa.insert(runs), row)
    found, _ = store.find(Query("old digits"))
    assert [run.id for run in found] in ([], [f"{0:032x}"])
    assert store.offered().data == ("digits",)
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(runs.c.words).where(runs.c.words.is_(None))).all() == []
