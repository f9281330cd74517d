"""Who may steer a run: who started it, who has its control link, a teacher, and who sits at the server.

One decision for all: `core.jobs.manager.Jobs` asks it before it stops, edits or deletes anything, so that a
hand-made request gets no further than a button would. To watch, and to branch, nobody is asked.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from typing import Protocol

from core.jobs.turns import place_of
from core.run.errors import SpecError
from core.run.stopping import By

HERE = "here"  # the place of a browser on the server's own machine
TEACHER = "teacher"  # the place of whoever has shown the teacher's key, wherever he sits
KEY_BYTES = 16
FEWEST_LETTERS = 8  # of a teacher's key

ONLY_WATCH = (
    "You watch this run. It is steered by whoever started it; with that person's control link you can, too."
)
ONLY_TEACHER = "Only the teacher can do this."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for something.

    Args:
        visitor: ``place/visit``, as `core.jobs.turns` has it; ``place/visit.seat`` where many machines are
            one place.
        key: of the control link that was opened, if any.
    """

    visitor: str = ""
    key: str = ""

    @property
    def is_teacher(self) -> bool:
        """Whether this is a teacher, or somebody at the server's own machine."""
        return place_of(self.visitor) in (HERE, TEACHER)


ITSELF = Asker(HERE)  # Augury's own code, and its command line


class Steered(Protocol):
    """What counts of a run."""

    @property
    def visitor(self) -> str: ...
    @property
    def control(self) -> str | None: ...


def may_control(run: Steered, asker: Asker) -> bool:
    """Whether ``asker`` may stop, pause, edit, name and delete ``run``."""
    return asker.is_teacher or _is_owner(run.visitor, asker.visitor) or opens(run, asker.key)


def check_control(run: Steered, asker: Asker) -> None:
    """`may_control`, or else a `SpecError` that says who may."""
    if not may_control(run, asker):
        raise SpecError("", ONLY_WATCH)


def check_teacher(asker: Asker) -> None:
    """`SpecError` unless ``asker`` is a teacher."""
    if not asker.is_teacher:
        raise SpecError("", ONLY_TEACHER)


def new_key() -> str:
    """A control link's secret."""
    return secrets.token_urlsafe(KEY_BYTES)


def key_digest(key: str) -> str:
    """What is stored of a key. It is random and long, so that nobody can try all."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def opens(run: Steered, key: str) -> bool:
    """Whether ``key`` is the run's."""
    return bool(key) and run.control is not None and hmac.compare_digest(run.control, key_digest(key))


def teachers_key() -> str:
    """``AUGURY_TEACHER_KEY``; empty: there is none.

    Raises:
        SpecError: it could be guessed.
    """
    key = os.environ.get("AUGURY_TEACHER_KEY", "")
    if 0 < len(key) < FEWEST_LETTERS:
        raise SpecError("AUGURY_TEACHER_KEY", f"it is too short; take {FEWEST_LETTERS} letters or more.")
    return key


def is_teachers_key(key: str) -> bool:
    """Whether this is the teacher's key; the time that takes tells nothing of it."""
    known = os.environ.get("AUGURY_TEACHER_KEY", "")
    same = hmac.compare_digest(key_digest(known), key_digest(key))
    return same and len(known) >= FEWEST_LETTERS


def who(started_by: str, asker: Asker) -> By:
    """What ``asker`` is to a run that ``started_by`` has started, for the reason of its end."""
    if asker == ITSELF:
        return ""
    place, visitor = place_of(asker.visitor), asker.visitor
    if started_by and started_by == visitor:
        return "starter"
    if place == TEACHER:
        return "teacher"
    if place == HERE:
        return "server"
    return "address" if _is_owner(started_by, visitor) else "visitor"


def _is_owner(owner: str, visitor: str) -> bool:
    """Whether both are one seat of one place, or one visit that has moved from one network to another."""
    place, visit, seat = _parts(owner)
    other_place, other_visit, other_seat = _parts(visitor)
    same_seat = (place, seat) == (other_place, other_seat)
    return bool(owner) and (same_seat or (bool(visit) and visit == other_visit))


def _parts(visitor: str) -> tuple[str, str, str]:
    """Place, visit, and the seat, which is empty where a place is one machine's address."""
    place, _, rest = visitor.partition("/")
    visit, _, seat = rest.partition(".")
    return place, visit, seat


def handle(visitor: str) -> str:
    """What a teacher reads of a visitor, e.g. ``visitor 3f2a``: it tells nothing of his address."""
    place, _, visit = visitor.partition("/")
    if place == HERE:
        return "this machine"
    if place == TEACHER:
        return "teacher"
    return f"visitor {hashlib.blake2s(visit.encode(), digest_size=2).hexdigest()}" if visit else "nobody"
