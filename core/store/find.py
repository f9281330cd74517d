"""Finding runs among many: by words, by parts of their spec, by figures, a page at a time.

What is searched are columns that follow from a row (`indexed`). A row that was written or renamed without
them has none in ``words`` and is filled in before the next search.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from core.run.errors import SpecError
from core.run.figures import result_of
from core.run.kinds import RUNS
from core.run.spec import RunSpec, parse
from core.store.tables import of_no_study, runs
from core.text.describe import in_words, title

MOST_SHOWN = 200  # runs in a page of the list
MOST_WORDS = 12  # that are searched for at once
AT_ONCE = 500  # rows that are filled in together
MOST_VALUES = 2000  # different values of a column that are looked through
NONE = "none"  # as a regulariser: the run has none

Sort = Literal["newest", "oldest", "accuracy", "zeros", "fastest", "name"]
_FILLING = threading.Lock()


class Query(NamedTuple):
    """What is looked for; empty means any."""

    words: str = ""
    state: str = ""
    data: str = ""
    arch: str = ""
    regulariser: str = ""
    tag: str = ""
    visitor: str = ""
    starred: bool = False
    sort: Sort = "newest"
    cells: bool = False  # those that studies began, too


class Offered(NamedTuple):
    """What a person can choose from: what some run has."""

    states: tuple[str, ...]
    data: tuple[str, ...]
    archs: tuple[str, ...]
    regularisers: tuple[str, ...]
    tags: tuple[str, ...]


def spec_columns(spec: RunSpec) -> dict[str, Any]:
    """Of a new run."""
    return {
        "arch": spec.model.arch,
        "data": spec.data.name,
        "regularisers": _kinds([each.kind for each in spec.regularisers]),
        "words": _words(spec, "", ()),
    }


def summary_columns(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run that has figures."""
    result = result_of(summary)
    return {
        "accuracy": result["validation_accuracy"],
        "zeros": result["sparsity"]["exact"],
        "epoch_seconds": summary.get("epoch_seconds"),
    }


def condition(query: Query) -> sa.ColumnElement[bool]:
    """The rows that `Query` is about."""
    found: list[sa.ColumnElement[bool]] = [runs.c.deleted_at.is_(None), runs.c.kind.in_(RUNS)]
    for column, wanted in (
        (runs.c.state, query.state),
        (runs.c.data, query.data),
        (runs.c.arch, query.arch),
        (runs.c.visitor, query.visitor),
    ):
        if wanted:
            found.append(column == wanted)
    if not query.cells:
        found.append(of_no_study(runs.c.group_id))
    if query.regulariser == NONE:
        found.append(runs.c.regularisers == "")
    elif query.regulariser:
        found.append(runs.c.regularisers.contains(_kinds([query.regulariser]), autoescape=True))
    if query.tag:
        found.append(runs.c.tags.contains(json.dumps(query.tag, ensure_ascii=False), autoescape=True))
    if query.starred:
        found.append(runs.c.starred.is_(True))
    words = query.words.casefold().split()[:MOST_WORDS]
    return sa.and_(*found, *(_says(word) for word in words))


def _says(word: str) -> sa.ColumnElement[bool]:
    """The rows in whose words this one stands, or whose id begins so."""
    said = runs.c.words.contains(word, autoescape=True)
    return said if re.fullmatch("[0-9a-f]{6,32}", word) is None else sa.or_(said, runs.c.id.startswith(word))


def order(sort: Sort) -> list[sa.ColumnElement[Any]]:
    """The columns that sort so; runs without the figure come last, equal ones newest first."""
    newest = runs.c.created_at.desc()
    by: dict[Sort, list[sa.ColumnElement[Any]]] = {
        "newest": [],
        "oldest": [runs.c.created_at],
        "accuracy": [runs.c.accuracy.desc().nulls_last()],
        "zeros": [runs.c.zeros.desc().nulls_last()],
        "fastest": [runs.c.epoch_seconds.asc().nulls_last()],
        "name": [runs.c.words.asc().nulls_last()],
    }
    return [*by[sort], newest, runs.c.id]


def offered(engine: sa.Engine) -> Offered:
    """What runs have, each in the alphabet's order."""
    there = sa.and_(runs.c.deleted_at.is_(None), runs.c.kind.in_(RUNS))

    def values(column: sa.Column[Any], connection: sa.Connection) -> list[str]:
        wanted = sa.select(column).where(there, column.is_not(None)).distinct().limit(MOST_VALUES)
        return sorted(str(each) for each in connection.execute(wanted).scalars())

    with engine.connect() as connection:
        kinds = values(runs.c.regularisers, connection)
        found = sorted({each for text in kinds for each in text.strip("|").split("|") if each})
        tags = sorted({tag for text in values(runs.c.tags, connection) for tag in _read_tags(text)})
        return Offered(
            tuple(values(runs.c.state, connection)),
            tuple(filter(None, values(runs.c.data, connection))),
            tuple(filter(None, values(runs.c.arch, connection))),
            (*found, *([NONE] if "" in kinds else [])),
            tuple(tags),
        )


def runs_before(engine: sa.Engine, run_ids: Sequence[str]) -> dict[str, str]:
    """Of each of these runs the one that the same visit has started before it, if there is one."""
    earlier = runs.alias("earlier")
    before = (
        sa.select(earlier.c.id)
        .where(
            earlier.c.visitor == runs.c.visitor,
            earlier.c.created_at < runs.c.created_at,
            earlier.c.kind.in_(RUNS),
            earlier.c.deleted_at.is_(None),
            of_no_study(earlier.c.group_id),
        )
        .order_by(earlier.c.created_at.desc())
        .limit(1)
        .correlate(runs)
        .scalar_subquery()
    )
    wanted = sa.select(runs.c.id, before).where(runs.c.id.in_(run_ids))
    with engine.connect() as connection:
        return {str(run_id): str(found) for run_id, found in connection.execute(wanted) if found}


def fill_in(engine: sa.Engine) -> None:
    """Give their columns to the rows that lack them."""
    lacks = sa.select(runs.c.id, runs.c.spec, runs.c.name, runs.c.note, runs.c.tags, runs.c.summary).where(
        runs.c.words.is_(None)
    )
    with _FILLING:
        while True:
            with engine.connect() as connection:
                rows = connection.execute(lacks.limit(AT_ONCE)).all()
            if not rows:
                return
            changes = [{"this": row.id, **_EMPTY, **_columns(row)} for row in rows]
            fill = sa.update(runs).where(runs.c.id == sa.bindparam("this"))
            fill = fill.values({name: sa.bindparam(f"new_{name}") for name in _EMPTY})
            told = [
                {"this": each["this"], **{f"new_{name}": each[name] for name in _EMPTY}} for each in changes
            ]
            with engine.begin() as connection:
                connection.execute(fill, told)


_EMPTY: dict[str, Any] = {
    "words": "",
    "arch": "",
    "data": "",
    "regularisers": "",
    "accuracy": None,
    "zeros": None,
    "epoch_seconds": None,
}


def _columns(row: Any) -> dict[str, Any]:
    """Of a stored row; nothing of one that can't be read."""
    try:
        spec = parse(str(row.spec)).model_copy(update={"name": str(row.name)})
        found = spec_columns(spec) | {"words": _words(spec, str(row.note), _read_tags(row.tags))}
        return found | (summary_columns(json.loads(row.summary)) if row.summary else {})
    except (SpecError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _words(spec: RunSpec, note: str, tags: Sequence[str]) -> str:
    return " ".join((title(spec), in_words(spec), note, *tags)).casefold()


def _kinds(kinds: Sequence[str]) -> str:
    return f"|{'|'.join(kinds)}|" if kinds else ""


def _read_tags(text: object) -> list[str]:
    try:
        found = json.loads(str(text))
    except ValueError:
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
