"""Files that browsers send wait on the disk, and not in Streamlit's memory, which keeps each as long as its
visit: they share a budget there, and those that came first make place. What a page has read it lets go."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from pages.features.frame.upload_stream import ARRIVED

MOST_BYTES = 1 << 30  # of all visitors together
MOST_FILES = 1_000

Key = tuple[str, str]  # a session's id, and a file's


class Waiting:
    """Files by session and id, those that came first dropped when there are too many. Thread-safe."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> None:
        self._most_bytes, self._most_files = most_bytes, most_files
        self._lock = threading.Lock()
        self._files: OrderedDict[Key, tuple[IO[bytes], int]] = OrderedDict()

    def put(self, key: Key, file: IO[bytes], size: int) -> None:
        """Hold an open file of ``size`` bytes, whose end is when nobody holds it."""
        with self._lock:
            self._files.pop(key, None)
            self._files[key] = file, size
            while len(self._files) > 1 and (
                sum(size for _, size in self._files.values()) > self._most_bytes
                or len(self._files) > self._most_files
            ):
                self._files.popitem(last=False)

    def get(self, key: Key) -> tuple[IO[bytes], int] | None:
        """An open file and its size in bytes; None: it is not here, or no longer."""
        with self._lock:
            return self._files.get(key)

    def drop(self, session_id: str, file_id: str | None = None) -> None:
        """Forget a file, or all of a session."""
        with self._lock:
            for key in [key for key in self._files if key[0] == session_id and file_id in (None, key[1])]:
                del self._files[key]

    def held(self) -> dict[Key, int]:
        with self._lock:
            return {key: size for key, (_, size) in self._files.items()}


WAITING = Waiting()


def keep_on_disk(files: MemoryUploadedFileManager, waiting: Waiting = WAITING) -> None:
    """Make ``files`` hold names alone; what has `ARRIVED` is on the disk already."""
    add, remove, remove_all = files.add_file, files.remove_file, files.remove_session_files

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        if (arrived := ARRIVED.get()) is not None:
            waiting.put((session_id, file.file_id), arrived.file, arrived.size)
            file = UploadedFileRec(file.file_id, arrived.name, arrived.media_type, b"")
        add(session_id, file)

    def remove_file(session_id: str, file_id: str) -> None:
        waiting.drop(session_id, file_id)
        remove(session_id, file_id)

    def remove_session_files(session_id: str) -> None:
        waiting.drop(session_id)
        remove_all(session_id)

    vars(files).update(add_file=add_file, remove_file=remove_file, remove_session_files=remove_session_files)


def size_of(file: UploadedFile) -> int:
    """In bytes; 0 of one that is no longer here."""
    found = WAITING.get(_key(file))
    return file.size if found is None else found[1]


def content_of(file: UploadedFile) -> bytes:
    """All of it; empty if it is no longer here."""
    found = WAITING.get(_key(file))
    if found is None:
        return file.getvalue()
    found[0].seek(0)
    return found[0].read()


def on_disk(file: UploadedFile) -> IO[bytes]:
    """An open file with a ``name``, on the disk as long as it is held."""
    found = WAITING.get(_key(file))
    if found is not None:
        return found[0]
    copy: Any = tempfile.NamedTemporaryFile(prefix="augury-")  # noqa: SIM115
    Path(copy.name).write_bytes(file.getvalue())
    return copy


def let_go(file: UploadedFile) -> None:
    """A page has read it."""
    WAITING.drop(*_key(file))


def _key(file: UploadedFile) -> Key:
    context = get_script_run_ctx()
    return (context.session_id if context is not None and runtime.exists() else "", file.file_id)
