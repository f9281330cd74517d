"""The tables, and how a database is opened.

JSON lies in plain text columns and is parsed row by row, so that one corrupt row can be skipped. What
changes here needs a step in ``migrations/versions`` that makes the same change to a database that exists.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from core.run.errors import SpecError
from core.store.migrate import upgrade

BUSY_SECONDS = 10  # how long a connection waits for another that writes

metadata = sa.MetaData()

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),  # a person may change it; the spec keeps the first
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.Double, nullable=False, index=True),  # times are seconds since 1970, UTC
    sa.Column("started_at", sa.Double),
    sa.Column("finished_at", sa.Double),
    sa.Column("owner", sa.String(255), nullable=False),  # the process that runs it (owner.py), or empty
    sa.Column("summary", sa.Text),  # the result and the last epoch, for lists of runs
    sa.Column("kind", sa.String(64), nullable=False, server_default="train"),
    sa.Column("digest", sa.String(64), index=True),  # core.run.digest; an older release wrote none
    sa.Column("inputs", sa.Text, nullable=False, server_default="{}"),
    sa.Column("parents", sa.Text, nullable=False, server_default="[]"),  # digests
    sa.Column("group_id", sa.String(64), index=True),
    sa.Column("visitor", sa.String(64), nullable=False, server_default=""),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
    sa.Column("starred", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("deleted_at", sa.Double),
    sa.Column("lease_until", sa.Double),  # while it runs: until when its owner need not be heard of again
    sa.Column("resumes", sa.Integer, nullable=False, server_default="0"),  # how often it may go on by itself
    sa.Column("control", sa.String(64)),  # a SHA-256 of its control link's key (core.jobs.rights)
    sa.Column("imported_at", sa.Double),  # when it came from an archive; None: it was computed here
    sa.Column("rank", sa.Integer),  # where a teacher has put it in the queue; None: it takes its turn
    sa.Column("until", sa.Integer),  # after how many epochs it waits for its study; None: it goes to its end
    # What runs are found by (find.py): it follows from the rest of the row; None in ``words``: not yet.
    sa.Column("words", sa.Text),
    sa.Column("arch", sa.String(64)),
    sa.Column("data", sa.String(64)),
    sa.Column("regularisers", sa.Text),
    sa.Column("accuracy", sa.Double),
    sa.Column("zeros", sa.Double),
    sa.Column("epoch_seconds", sa.Double),
    sa.Index("ix_runs_state_created_at", "state", "created_at"),
    sa.Index("ix_runs_visitor_created_at", "visitor", "created_at"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("event", sa.Text, nullable=False),
)

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False, index=True),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("taken_at", sa.Double),  # when the run's owner took it
)

settings = sa.Table(  # what all servers of this database agree on
    "settings",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

studies = sa.Table(
    "studies",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, server_default=""),
    sa.Column("study", sa.Text, nullable=False),  # core.study.spec, as JSON
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("visitor", sa.String(64), nullable=False, server_default=""),
    sa.Column("created_at", sa.Double, nullable=False, index=True),
    sa.Column("finished_at", sa.Double),
    sa.Column("deleted_at", sa.Double),
)

STUDY_GROUP = "study-"  # begins the group of a study's runs

cells = sa.Table(  # of studies: which run each is, and its figures once they are known
    "cells",
    metadata,
    sa.Column("study_id", sa.ForeignKey("studies.id"), primary_key=True),
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("run_id", sa.String(32), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("figures", sa.Text),  # JSON
    sa.Column("begun_at", sa.Double, nullable=False),
    sa.Column("reused", sa.Boolean, nullable=False, server_default=sa.false()),  # the run was there before
)

artefacts = sa.Table(
    "artefacts",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("media_type", sa.String(128), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)


def of_no_study(group: Any) -> sa.ColumnElement[bool]:
    """The runs that were not begun for a study's table.

    Args:
        group: a column ``group_id``.
    """
    return sa.or_(group.is_(None), sa.not_(group.startswith(STUDY_GROUP)))


def open_database(url: str) -> sa.Engine:
    """Connect to ``url``, and bring its tables to what this release needs.

    Raises:
        SpecError: ``url`` is no database address, needs a driver that isn't installed, or the database was
            written by a newer release.
    """
    try:
        engine = sa.create_engine(make_url(url), pool_pre_ping=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        # The address itself may hold a password, so it isn't repeated.
        raise SpecError("AUGURY_DATABASE_URL", f"the database can't be used: {error}.") from None
    except ValueError:  # a port that is no number
        raise SpecError(
            "AUGURY_DATABASE_URL", "this is no database address, like postgresql://name@host:5432/augury."
        ) from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    upgrade(engine)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Readers never wait for the writer (WAL), and a second writer waits its turn."""
    connection.text_factory = lambda text: text.decode(errors="replace")  # one damaged row harms no other
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={1000 * BUSY_SECONDS}")
    cursor.execute("PRAGMA synchronous=NORMAL")  # safe with WAL: a power cut may lose the last moment
    cursor.execute("PRAGMA foreign_keys=ON")
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:  # another opens it now too: here SQLite itself doesn't wait
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    cursor.close()
