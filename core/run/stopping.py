"""Who has stopped a run, as far as that is known. An address tells it, and is never shown."""

from __future__ import annotations

from typing import Literal, get_args

from core.run.events import Event

By = Literal[
    "", "starter", "address", "server", "teacher", "visitor", "command line", "queue"
]  # "": not known
ALL_THAT_WAITED = "with all that waited"
_SAID: dict[By, str] = {
    "starter": "by whoever started it",
    "address": "from the address it was started from",
    "server": "at the server's own machine",
    "teacher": "by the teacher",
    "visitor": "by another visitor",
    "command line": "from the command line",
    "queue": "for it was paused while others waited: it can go on where it was",
}


def read_by(value: object) -> By:
    """What a command says, which may come from another version: not known, if it is none of these."""
    return next((each for each in get_args(By) if each == value), "")


def stopped_reason(by: By, more: str = "") -> str:
    """E.g. ``Stopped by whoever started it.``, and what else there is to say; that alone if nobody is known.

    Args:
        more: a sentence, or empty.
    """
    return f"Stopped {_SAID[by]}. {more}".strip() if by else more


def stopped_early(by: By, what: str = "") -> str:
    """The same of a run that waited.

    Args:
        what: what was stopped with it.
    """
    return ", ".join(filter(None, ["Stopped before it began", what, _SAID.get(by, "")])) + "."


def with_reason(event: Event, by: By) -> Event:
    """A ``state`` event of a run that stopped says by whom; any other is as it was."""
    if event["event"] != "state" or event["state"] != "stopped" or not by:
        return event
    return {**event, "reason": stopped_reason(by, event.get("reason", ""))}
