"""What the server does once. Before it has visitors, in a thread: it imports the pages' modules and opens
the store. A browser takes a second to load Streamlit's own files, and finds all of it done. In the end: it
interrupts the runs that are computed here, and says so in the store.

Nothing that takes long is imported above: the server listens once this file is imported.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager as InMemory
from streamlit.starlette import App

from core.home import PRIVATE_UMASK
from pages.features.frame.failures import log_each_failure_once
from pages.features.frame.upload_budget import keep_on_disk

OPEN_FILES = 65_536
SWITCH_SECONDS = 1e-3  # CPython's own is five times as long
# Those that import most: the landing page's, the lab's, the form's and a run's.
MODULES = (
    "pages.features.start.landing",
    "pages.features.lab.tabs",
    "pages.features.editor.train_form",
    "pages.features.live.live_view",
)


@asynccontextmanager
async def prepared(_app: App) -> AsyncIterator[None]:
    """The server's life: while it begins to serve, all is prepared."""
    os.umask(PRIVATE_UMASK)  # what it and its workers write is for this user alone
    _allow_many_sockets()
    # The thread that serves everybody waits so long for each that draws a page, at every turn of its own.
    sys.setswitchinterval(SWITCH_SECONDS)
    log_each_failure_once()
    if runtime.exists() and isinstance(files := runtime.get_instance().uploaded_file_mgr, InMemory):
        keep_on_disk(files)
    threading.Thread(target=_prepare, name="prepare", daemon=True).start()
    yield
    _end()


def _allow_many_sockets() -> None:
    """1,024 files are the usual limit of a process, and one script can open as many connections."""
    if os.name == "posix":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(most, OPEN_FILES)
        with suppress(OSError, ValueError):  # macOS has a limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _prepare() -> None:
    for module in MODULES:
        importlib.import_module(module)

    from core.jobs.shared import shared_jobs
    from core.run.errors import SpecError

    with suppress(SpecError):  # which each page says
        shared_jobs()
    # What is imported by now lives as long as the server: a collector that never looks at it again
    # spares every viewer the time it would hold the interpreter.
    gc.collect()
    gc.freeze()


def _end() -> None:
    """A signal ends this process right after this, before what `atexit` was told."""
    from core.interactive.client import close_shared
    from core.jobs.shared import forget_shared_jobs

    forget_shared_jobs()
    close_shared()
