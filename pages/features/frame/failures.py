"""What a visitor and the log are told of a script that failed.

Most often a message came that no page of ours sends: then it fails in Streamlit, at the same line each time.
The log has a traceback once for each line that failed, and one line each time after that, so that no visitor
can fill it.
"""

from __future__ import annotations

import logging
import threading

import streamlit as st

MOST_PLACES = 200  # lines that failed whose traceback the log has already
LOGGER = "streamlit.error_util"


def say_failure(_error: Exception) -> bool:
    """A sentence on the page, in place of Streamlit's box."""
    st.error(
        "This page could not be drawn: a value came that it does not know, or Augury has a fault here. "
        "Nothing that you trained is lost. Reload the page; if it happens again, the log says where.",
        icon=":material/error:",
    )
    return True


def log_each_failure_once() -> None:
    """From now on."""
    log = logging.getLogger(LOGGER)
    if not any(isinstance(each, OncePerPlace) for each in log.filters):
        log.addFilter(OncePerPlace())


class OncePerPlace(logging.Filter):
    """Leaves the traceback out of a record whose exception was raised where one was raised before."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or record.exc_info[1] is None:
            return True
        place = _place(record.exc_info[1])
        with self._lock:
            known = place in self._seen or len(self._seen) >= MOST_PLACES
            self._seen.add(place) if not known else None
        if known:
            record.exc_info, record.exc_text = None, None
            record.msg, record.args = "%s: again %s", (record.getMessage(), place)
        return True


def _place(error: BaseException) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return type(error).__name__
    return f"{type(error).__name__} at {traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
