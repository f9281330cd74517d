"""Networks that several jobs go on from, kept on disk: each is trained once and read by the others.

A warm start that is not there any more costs time and nothing else: whoever needs it trains it again, to the
same numbers.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.home import home
from core.run.checkpoints import LAST
from core.run.errors import SpecError
from core.run.events import Event
from core.train.checkpoint import checkpoint_of, load_checkpoint, write_checkpoint
from core.train.divergence import DivergedError
from core.train.position import Position, Sums
from core.train.session import Session

MOST = 8  # that are kept; the default network takes 8 MB
_DIVERGED = "diverged"
DIVERGED = (
    "The loss stopped being a number before any λ was tried; "
    "try a lower learning rate, or weaker augmentation."
)


def place(digest: str) -> Path:
    """Where the warm start with this digest, 64 hex digits, is kept."""
    assert len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    return home() / "cache" / "warm_starts" / digest


def load(folder: Path, session: Session, epochs: int) -> bool:
    """Put the network that was trained for ``epochs`` epochs into ``session``, with its optimiser's and its
    regularisers' state. False: there is none of this spec, or it was made with other versions or threads;
    ``session`` may then be spoilt.

    Raises:
        DivergedError: its loss had stopped being a number.
    """
    if (folder / _DIVERGED).is_file():
        raise DivergedError(DIVERGED)
    try:
        position = load_checkpoint(folder, session)
    except SpecError:
        return False
    return len(position.epochs) == epochs and not position.notes


def keep(folder: Path, session: Session, epochs: int) -> None:
    """Keep what `load` reads, after ``epochs`` epochs. If there is no room for it, it is not kept."""
    done: list[Event] = [{"event": "epoch", "epoch": epoch} for epoch in range(1, epochs + 1)]
    checkpoint = checkpoint_of(session, Position(session.spec, Sums.none(session), done))
    _put(folder, lambda beside: write_checkpoint(beside / LAST, checkpoint))


def keep_diverged(folder: Path) -> None:
    """Keep that the loss stopped being a number, so that nobody tries it again."""
    _put(folder, lambda beside: (beside / _DIVERGED).touch())


def _put(folder: Path, write: Callable[[Path], None]) -> None:
    """Write beside and move into place: whoever reads it finds it whole, or not at all."""
    beside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make_room(folder.parent)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix="part-"))
        write(beside)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.is_file():
            folder.unlink()
        beside.rename(folder)
    except OSError:  # no room, or another job was faster
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _make_room(parent: Path) -> None:
    found = []
    for each in parent.iterdir():
        with suppress(FileNotFoundError):
            found.append((each.stat().st_mtime, each))
    for _, oldest in sorted(found)[: max(0, len(found) - MOST + 1)]:
        shutil.rmtree(oldest, ignore_errors=True)
