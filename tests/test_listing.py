"""``python -m core runs``: a table for people, JSON for programs."""

from __future__ import annotations

import json

import pytest

from core.__main__ import main
from core.run.history import build_history, summary
from core.run.spec import parse
from core.store.store import Store
from tests import made_up_run


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    made = Store()
    yield made
    made.close()


def fill(store, count):
    told = summary(build_history(enumerate(made_up_run.events(), 1)).history())
    for i in range(count):
        store.create(f"{i:032x}", parse({"name": f"Run \x1b[31m{i}", "seed": i}), float(i))
        if i % 2:
            store.set_state(f"{i:032x}", "finished", summary=told)


def test_every_run_is_a_line_of_json(store, capsys):
    fill(store, 250)
    assert main(["runs", "--json", "--limit", "1000"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["id"] for each in told] == [f"{i:032x}" for i in reversed(range(250))]
    last = made_up_run.events()[-2]["last"]
    assert told[0]["accuracy"] == last["validation_accuracy"] and told[0]["validation_images"] == 20
    assert told[0]["exact_zeros"] == last["sparsity"]["exact"] and told[0]["epochs"] == made_up_run.EPOCHS
    assert told[1]["accuracy"] is None and told[1]["state"] == "queued"


def test_the_table_says_how_sure_an_accuracy_is_and_moves_no_cursor(store, capsys):
    fill(store, 2)
    assert main(["runs", "--search", "[31m1"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["id", "run", "state"] and len(rows) == 1
    assert "75.0 % (15 of 20" in " ".join(rows) and "\x1b" not in " ".join(rows)


def test_an_empty_store_and_a_limit_that_is_none(capsys):
    assert main(["runs"]) == 0
    assert "No run is stored here." in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        main(["runs", "--limit", "-1"])
    assert refused.value.code == 2


def test_rows_that_cannot_be_read_are_left_out_and_none_is_told_twice(store, capsys):
    fill(store, 9)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "update runs set spec='{\"newkey\": 1}' where id like '%8' or id like '%5'"
        )
        connection.exec_driver_sql("update runs set created_at=1e300 where id like '%7'")
    assert main(["runs", "--json"]) == 0
    ids = [json.loads(line)["id"][-1] for line in capsys.readouterr().out.splitlines()]
    assert ids == ["6", "4", "3", "2", "1", "0"]
    assert main(["runs"]) == 0
