"""The two tables, and how a database is opened.

JSON lies in plain text columns and is parsed row by row, so that one corrupt row can be skipped.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex, CreateTable

from core.run.errors import SpecError

BUSY_SECONDS = 10  # how long a connection waits for another that writes

metadata = sa.MetaData()

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.Double, nullable=False, index=True),  # times are seconds since 1970, UTC
    sa.Column("started_at", sa.Double),
    sa.Column("finished_at", sa.Double),
    sa.Column("owner", sa.String(255), nullable=False),  # the process that runs it: see owner.py
    sa.Column("summary", sa.Text),  # the best and the last epoch, for lists of runs
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("event", sa.Text, nullable=False),
)


def open_database(url: str) -> sa.Engine:
    """Connect to ``url`` and make the tables that are not there yet.

    Raises:
        SpecError: ``url`` is no database address, or needs a driver that isn't installed.
    """
    try:
        engine = sa.create_engine(make_url(url), pool_pre_ping=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        # The address itself may hold a password, so it isn't repeated.
        raise SpecError("AUGURY_DATABASE_URL", f"the database can't be used: {error}.") from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:  # "if not exists": two processes may start at once
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Readers never wait for the writer (WAL), and a second writer waits its turn."""
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
