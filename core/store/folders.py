"""The folders of runs in a store that several machines share, so that a run can go on on another one.

``runs/<id>/files.json`` below the address of the artefacts names the files that a run has now, each with its
digest; beside it lie their contents, named by it. The list is replaced whole: whoever reads finds the files
of one moment. Uploaded zips lie in ``uploads/``, each under its name.

A machine that has written a list itself has newer files in its own folder, and reads none back.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from core.data.uploads import MOST_BYTES as UPLOAD_BYTES
from core.data.uploads import place_of_upload
from core.files import beside, put_in_place
from core.home import home
from core.run.errors import SpecError
from core.store.artefacts import CHUNK, MAX_BYTES, open_files
from core.store.owner import machine
from core.store.store import is_run_id, run_folder

log = logging.getLogger(__name__)

LIST = "files.json"
MOST_FILES = 200
MAX_LIST_BYTES = 64 * 1024
MOST_KNOWN = 10_000  # digests of this machine's files that are remembered
KEEP_SECONDS = 1.0  # how often a run's folder is looked at, at least
REFRESH_SECONDS = 10.0  # how long what was read of a run that another machine computes is taken to hold
TRIES = 3  # to read files that are replaced meanwhile

_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][\w.-]*(/[A-Za-z0-9_-][\w.-]*)?$")]
_Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Listed(BaseModel):
    """What a run's folder holds.

    Args:
        writer: who has written it (`me`).
        files: the digest of each, by its name.
    """

    writer: Annotated[str, Field(max_length=500)] = ""
    files: Annotated[dict[_Name, _Digest], Field(max_length=MOST_FILES)] = Field(default_factory=dict)


class _Print(NamedTuple):
    """By which a file that has changed is known."""

    size: int
    changed: int  # nanoseconds
    number: int  # of the file in its file system


def me() -> str:
    """This installation."""
    return f"{home().resolve()}@{machine()}"


class SharedFolders:
    """Copies folders of runs to and from a store; any thread may call any method.

    Args:
        url: as `core.store.artefacts.Artefacts` has it.
        writer: who copies; None: `me`.

    Raises:
        SpecError: the address is of no use.
    """

    def __init__(self, url: str | Path | None = None, writer: str | None = None) -> None:
        self._files, self._root, self._local = open_files(url)
        self.address = str(url) if "://" in str(url) else str(Path(self._root).resolve())
        self._writer = me() if writer is None else writer
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # by run
        self._known: dict[Path, tuple[_Print, str]] = {}  # digests of this machine's files
        self._kept: dict[str, dict[str, str]] = {}  # what each run's list says, of those kept here
        self._looked: dict[str, float] = {}  # when a run was refreshed, on the monotonic clock

    def keep(self, run_id: str, folder: Path) -> bool:
        """Copy what has changed in a run's folder to the store; whether something had.

        Raises:
            OSError: it can't be written.
        """
        with self._locks[run_id]:
            kept = self._kept.get(run_id)
            if kept is None:
                listed = self.listed(run_id)
                kept = {} if listed is None else listed.files
                theirs = listed is None or listed.writer != self._writer
            else:
                theirs = False
            there = set(kept.values())
            now: dict[str, str] = {}
            for path in _paths(folder):
                with suppress(FileNotFoundError):  # one that was replaced or removed at this moment
                    now[path.relative_to(folder).as_posix()] = self._put(run_id, path, there)
            if now == kept and not theirs:
                return False
            listed = Listed(writer=self._writer, files=now)
            self._replace(self._place(run_id, LIST), listed.model_dump_json().encode())
            self._kept[run_id] = now
            for digest in set(kept.values()) - set(now.values()):
                with suppress(FileNotFoundError):
                    self._files.rm_file(self._place(run_id, digest))
            return True

    def fetch(self, run_id: str, folder: Path) -> bool:
        """Make a run's folder as the store has it. One that this machine has written last stays as it is.

        Returns:
            Whether the store knows the run.

        Raises:
            OSError: it can't be read or written.
            SpecError: what lies there is damaged.
        """
        with self._locks[run_id]:
            for tries in range(1, TRIES + 1):
                listed = self.listed(run_id)
                if listed is None or listed.writer == self._writer:
                    return listed is not None
                try:
                    self._take(run_id, folder, listed)
                    break
                except FileNotFoundError:  # it was replaced meanwhile
                    if tries == TRIES:
                        raise
            self._kept.pop(run_id, None)
            return True

    def refresh(self, run_id: str, folder: Path) -> None:
        """`fetch` for who looks at a run that another machine may have computed: not too often, and whatever
        goes wrong, what is here is what is shown."""
        now = time.monotonic()
        if now - self._looked.get(run_id, -REFRESH_SECONDS) < REFRESH_SECONDS:
            return
        self._looked[run_id] = now
        try:
            self.fetch(run_id, folder)
        except (OSError, SpecError) as error:
            log.warning("The files of run %s could not be read from the shared store: %s", run_id, error)

    def forget(self, run_id: str) -> None:
        """Remove a run's files from the store."""
        with self._locks[run_id]:
            self._kept.pop(run_id, None)
            with suppress(FileNotFoundError):
                self._files.rm(self._place(run_id), recursive=True)

    def listed(self, run_id: str) -> Listed | None:
        """What the store has of a run; None: it knows nothing of it.

        Raises:
            SpecError: what it says can't be believed.
        """
        try:
            with self._files.open(self._place(run_id, LIST), "rb") as file:
                return Listed.model_validate_json(file.read(MAX_LIST_BYTES))
        except FileNotFoundError:
            return None
        except ValidationError:
            raise SpecError("AUGURY_ARTEFACTS", f"what is kept of run {run_id[:8]} is damaged.") from None

    # Uploads

    def keep_upload(self, path: str) -> None:
        """Copy an upload to the store, if it is here and not there.

        Args:
            path: ``upload:…``.

        Raises:
            OSError: it can't be written.
        """
        zipped = place_of_upload(path)
        if not zipped.is_file() or self._files.exists(self._upload(zipped.name)):
            return
        self._make_room(zipped.stat().st_size)
        for each in (zipped.with_suffix(".json"), zipped):  # the zip last: with it, all is there
            if each.is_file():
                self._copy(each, self._upload(each.name))

    def fetch_upload(self, path: str) -> None:
        """Copy an upload from the store, if it is there and not here. Whoever opens one that is nowhere says
        so.

        Raises:
            OSError: it can't be read or written.
        """
        zipped = place_of_upload(path)
        if zipped.is_file():
            return
        zipped.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in (zipped.with_suffix(".json"), zipped):
            with suppress(FileNotFoundError):
                self._download(self._upload(each.name), each)

    def _make_room(self, needed: int) -> None:
        """Remove the oldest uploads until one of ``needed`` bytes has room."""
        folder = self._upload("")
        if not self._files.exists(folder):
            return
        found = [
            (self._files.modified(each["name"]), each["size"], each["name"])
            for each in self._files.ls(folder, detail=True)
        ]
        size = sum(each for _, each, _ in found) + needed
        for _, bytes_, name in sorted(found):
            if size <= UPLOAD_BYTES:
                return
            with suppress(FileNotFoundError):
                self._files.rm_file(name)
            size -= bytes_

    # How

    def _put(self, run_id: str, path: Path, there: set[str]) -> str:
        """See to it that a file's content is in the store; its digest."""
        with path.open("rb") as file:
            digest = self._digest(path, file)
            if digest not in there:
                file.seek(0)
                self._write(file, self._place(run_id, digest))
                there.add(digest)
        return digest

    def _take(self, run_id: str, folder: Path, listed: Listed) -> None:
        here = {path.relative_to(folder).as_posix(): path for path in _paths(folder)}
        for name, digest in listed.files.items():
            path = folder / name
            if self._is_here(path, digest):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            self._download(self._place(run_id, digest), path, digest)
        for name, path in here.items():
            if name not in listed.files:
                path.unlink(missing_ok=True)

    def _digest(self, path: Path, file: BufferedReader) -> str:
        """Of the file that was opened at ``path``; it is read once, as long as it does not change."""
        status = os.fstat(file.fileno())
        seen = _Print(status.st_size, status.st_mtime_ns, status.st_ino)
        known = self._known.get(path)
        if known is None or known[0] != seen:
            known = seen, hashlib.file_digest(file, "sha256").hexdigest()
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[path] = known
        return known[1]

    def _is_here(self, path: Path, digest: str) -> bool:
        with suppress(FileNotFoundError), path.open("rb") as file:
            return self._digest(path, file) == digest
        return False

    def _download(self, place: str, path: Path, digest: str | None = None) -> None:
        made, size, part = hashlib.sha256(), 0, beside(path)
        try:
            with self._files.open(place, "rb") as source, part.open("wb") as file:
                while chunk := source.read(CHUNK):
                    made.update(chunk)
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise SpecError(
                            "AUGURY_ARTEFACTS", f"{path.name} is larger than {MAX_BYTES:,} bytes."
                        )
                    file.write(chunk)
            if digest is not None and made.hexdigest() != digest:
                raise SpecError("AUGURY_ARTEFACTS", f"the file {path.name} that is kept there is damaged.")
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        put_in_place(part, path)

    def _copy(self, path: Path, place: str) -> None:
        with path.open("rb") as file:
            self._write(file, place)

    def _write(self, source: Any, place: str) -> None:
        """Write from a file. An object store shows an object once it is whole; a folder is helped to."""
        self._files.makedirs(self._files._parent(place), exist_ok=True)
        part = f"{place}.{uuid.uuid4().hex}.part" if self._local else place
        try:
            with self._files.open(part, "wb") as file:
                while chunk := source.read(CHUNK):
                    file.write(chunk)
            if self._local:
                put_in_place(Path(part), Path(place))
        except BaseException:
            with suppress(FileNotFoundError):
                if self._local:
                    self._files.rm_file(part)
            raise

    def _replace(self, place: str, content: bytes) -> None:
        self._write(io.BytesIO(content), place)

    def _place(self, run_id: str, name: str = "") -> str:
        if not is_run_id(run_id):
            raise ValueError("a run's id is 32 hex digits")
        return f"{self._root}/runs/{run_id}/{name}".rstrip("/")

    def _upload(self, name: str) -> str:
        return f"{self._root}/uploads/{name}".rstrip("/")


class Keeping:
    """Keeps a run's folder in the store while something writes to it.

    Args:
        told: called after something was copied.
    """

    def __init__(
        self,
        folders: SharedFolders,
        run_id: str,
        folder: Path,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._copy, self._told = partial(folders.keep, run_id, folder), told
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="folders", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Copy the rest, and end.

        Raises:
            OSError: it can't be written.
        """
        self.end()
        self._keep()

    def _keep(self) -> None:
        if self._copy():
            self._told()

    def end(self) -> None:
        """End, without copying more."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        every = keep_seconds()
        while not self._ended.wait(every):
            try:
                self._keep()
            except Exception as error:  # it is tried again
                log.warning("The files of a run could not be copied for now: %s", error)


def keep_seconds() -> float:
    """How often a run's folder is looked at: as often as its newest checkpoint is written, if that is set."""
    try:
        return min(
            KEEP_SECONDS, max(0.05, float(os.environ.get("AUGURY_CHECKPOINT_SECONDS") or KEEP_SECONDS))
        )
    except ValueError:  # whoever writes checkpoints says so
        return KEEP_SECONDS


def shared_folders() -> SharedFolders | None:
    """The store that the machines of this installation share; None: they share their home, or there is one.

    It is ``AUGURY_ARTEFACTS`` where several machines may compute: with ``AUGURY_EXECUTOR=ray``, or a database
    that is no file. With Ray alone it is by default ``artefacts`` in the home.

    Raises:
        SpecError: the address is of no use.
    """
    where = os.environ.get("AUGURY_ARTEFACTS") or ""
    database = os.environ.get("AUGURY_DATABASE_URL") or "sqlite"
    if os.environ.get("AUGURY_EXECUTOR") == "ray" or (where and not database.startswith("sqlite")):
        return _shared(where or str((home() / "artefacts").resolve()), me())
    return None


@lru_cache(maxsize=4)
def _shared(where: str, writer: str) -> SharedFolders:
    return SharedFolders(where, writer)


def here(run_id: str) -> Path:
    """A run's folder on this machine, with what another machine has left in it."""
    folder = run_folder(run_id)
    if (shared := shared_folders()) is not None:
        shared.refresh(run_id, folder)
    return folder


def _paths(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")
    return sorted(found)[:MOST_FILES]
