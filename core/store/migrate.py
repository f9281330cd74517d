"""Brings a database that exists to the tables of this release, step by step (Alembic)."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from core.run.errors import SpecError
from core.store.transaction import writing

FIRST = "1"  # the release that kept no number of its own
LATEST = "7"  # the last file in migrations/versions
KNOWN = frozenset({FIRST, "2", "3", "4", "5", "6", LATEST})
LOCK = 0x4155_4755  # any number that nothing else on the server uses


def upgrade(engine: sa.Engine) -> None:
    """Make or change the tables, if need be; several processes may do so at once.

    Raises:
        SpecError: the database was written by a newer release.
    """
    if revision(engine) == LATEST:
        return  # what nearly every start finds, without Alembic's quarter of a second
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        _upgrade(connection)


def revision(engine: sa.Engine) -> str | None:
    """What step the database is at; None: it has no tables, or those of the first release."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    at = _revision(connection)  # again: another process may have been first
    if at is not None and at not in KNOWN:
        raise SpecError(
            "AUGURY_DATABASE_URL",
            "the database was written by a newer Augury; start that one, or use another database.",
        )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if at is None and sa.inspect(connection).has_table("runs"):
        command.stamp(config, FIRST)
    command.upgrade(config, "head")
