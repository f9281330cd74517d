"""How many images each run was judged by, for runs whose summary does not say so.

An older version kept it in the run's ``started`` event alone.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from core.run.events import MAX_EVENT_BYTES, read_event
from core.store.tables import events

FIRST = 10  # events of a run, among which ``started`` is


def validation_images(connection: sa.Connection, run_ids: Collection[str]) -> dict[str, int]:
    """Of those of these runs whose ``started`` event can be read."""
    if not run_ids:
        return {}
    wanted = sa.select(events.c.run_id, events.c.event).where(
        events.c.run_id.in_(run_ids),
        events.c.seq <= FIRST,
        events.c.event.contains('"started"'),
        sa.func.length(events.c.event) <= MAX_EVENT_BYTES,
    )
    found = {}
    for run_id, text in connection.execute(wanted):
        try:
            event = read_event(text)
        except (ValueError, TypeError):
            continue
        if event["event"] == "started":
            found[str(run_id)] = int(event["validation_images"])
    return found
