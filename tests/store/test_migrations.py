"""A database of the last release opens with all that was in it, whoever opens it first."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.run.errors import SpecError
from core.run.figures import result_of
from core.run.history import build_history
from core.run.spec import parse
from core.store import migrate
from core.store.store import Store
from core.store.tables import metadata, open_database

RELEASE1 = Path(__file__).parent / "fixtures" / "release1.db"  # written by the first release, commit 3640249


@pytest.fixture
def path(tmp_path):
    return Path(shutil.copy(RELEASE1, tmp_path / "augury.db"))


def test_a_database_of_the_first_release_opens_with_all_its_runs(path):
    before = sqlite3.connect(RELEASE1)
    before.row_factory = sqlite3.Row
    rows = before.execute("SELECT * FROM runs ORDER BY created_at DESC").fetchall()
    assert [row["state"] for row in rows] == ["failed", "stopped", "finished"]
    store = Store(f"sqlite:///{path}")
    runs = store.runs()
    assert [run.id for run in runs] == [row["id"] for row in rows]
    for run, row in zip(runs, rows, strict=True):
        assert (run.name, run.spec, run.state, run.reason) == (
            row["name"], parse(row["spec"]), row["state"], row["reason"],
        )  # fmt: skip
        assert (run.created_at, run.started_at, run.finished_at) == (
            row["created_at"], row["started_at"], row["finished_at"],
        )  # fmt: skip
        events = before.execute("SELECT seq, event FROM events WHERE run_id = ? ORDER BY seq", [run.id])
        stored = [(row["seq"], json.loads(row["event"])) for row in events]
        told = json.loads(row["summary"]) if row["summary"] else None
        images = told and {"validation_images": build_history(stored).history().validation_images}
        assert run.summary == (told and {name: told[name] for name in ("epochs", "last")} | images)
        assert run.summary is None or result_of(run.summary) == told["last"]
        assert (run.kind, run.digest, run.inputs, run.note, run.tags) == ("train", None, {}, "", ())
        assert store.events(run.id) == stored
        assert build_history(stored).history().state == run.state
    finished = build_history(store.events(runs[-1].id)).history()
    assert [epoch["epoch"] for epoch in finished.epochs] == [1, 2, 3]
    store.delete(runs[0].id)  # the new columns are there
    store.close()


def test_several_processes_may_open_it_first(path, tmp_path):
    """Also a file that is not there yet: each process finds the tables whole."""
    script = "import sys; from core.store.store import Store; print(len(Store(sys.argv[1]).runs()))"
    for database, runs in ((path, 3), (tmp_path / "new.db", 0)):
        command = [sys.executable, "-c", script, f"sqlite:///{database}"]
        started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        assert [process.communicate()[0] for process in started] == [f"{runs}\n"] * 3
        versions = sqlite3.connect(database).execute("SELECT version_num FROM alembic_version").fetchall()
        assert versions == [(migrate.LATEST,)]


@pytest.mark.parametrize("new", [True, False])
def test_the_steps_lead_to_the_tables_that_are_used(path, tmp_path, new):
    engine = open_database(f"sqlite:///{tmp_path / 'new.db' if new else path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_numbers_of_the_steps_are_known():
    steps = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations")).walk_revisions()
    numbers = [step.revision for step in steps]
    assert (numbers[0], numbers[-1]) == (migrate.LATEST, migrate.FIRST)
    assert set(numbers) == migrate.KNOWN


def test_a_step_that_fails_changes_nothing(path, monkeypatch):
    def break_off(connection):
        upgrade(connection)
        raise RuntimeError("the power went")

    upgrade = migrate._upgrade
    monkeypatch.setattr(migrate, "_upgrade", break_off)
    with pytest.raises(RuntimeError):
        open_database(f"sqlite:///{path}")
    monkeypatch.undo()
    assert set(sa.inspect(sa.create_engine(f"sqlite:///{path}")).get_table_names()) == {"runs", "events"}
    Store(f"sqlite:///{path}").close()


def test_a_database_of_a_newer_release_is_refused_in_a_sentence(path):
    Store(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '99'")
    connection.commit()
    with pytest.raises(SpecError, match="AUGURY_DATABASE_URL: the database was written by a newer Augury"):
        Store(f"sqlite:///{path}")
