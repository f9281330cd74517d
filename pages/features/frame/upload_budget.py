"""Files that browsers send stay in Streamlit's memory, whether a page asked for them or not: they share a
budget, and those that came first make place. What a page has read it lets go."""

from __future__ import annotations

import threading
from collections import OrderedDict

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

MOST_BYTES = 192 << 20  # of all visitors together: a zip of the largest size, and others while they are read
MOST_FILES = 1_000


def share_budget(
    files: MemoryUploadedFileManager, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES
) -> None:
    """Make ``files`` drop the oldest as soon as there are more."""
    add, remove, remove_all = files.add_file, files.remove_file, files.remove_session_files
    kept: OrderedDict[tuple[str, str], int] = OrderedDict()
    lock = threading.Lock()

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        with lock:
            kept.pop((session_id, file.file_id), None)
            kept[session_id, file.file_id] = len(file.data)
            add(session_id, file)
            while len(kept) > 1 and (sum(kept.values()) > most_bytes or len(kept) > most_files):
                oldest, _ = kept.popitem(last=False)
                remove(*oldest)

    def remove_file(session_id: str, file_id: str) -> None:
        with lock:
            kept.pop((session_id, file_id), None)
            remove(session_id, file_id)

    def remove_session_files(session_id: str) -> None:
        with lock:
            for each in [each for each in kept if each[0] == session_id]:
                del kept[each]
            remove_all(session_id)

    vars(files).update(add_file=add_file, remove_file=remove_file, remove_session_files=remove_session_files)


def let_go(file: UploadedFile) -> None:
    """Free a file's content, which a visit's state would hold for five minutes beyond the visit. It stays in
    its widget's list, by its name and without content."""
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        files = runtime.get_instance().uploaded_file_mgr
        if isinstance(files, MemoryUploadedFileManager):
            files.add_file(context.session_id, UploadedFileRec(file.file_id, file.name, file.type, b""))
    file.close()
