"""A moment in the visitor's own words: his time zone, no more of the date than is needed."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st


def when(seconds: float) -> str:
    """E.g. ``15:04``; of another day ``26 November at 15:04``, of another year with it.

    Args:
        seconds: since 1970.
    """
    then, now = (datetime.fromtimestamp(each, _zone()) for each in (seconds, time.time()))
    day = f"{then.day} {then:%B}" + ("" if then.year == now.year else f" {then.year}")
    return f"{then:%H:%M}" if then.date() == now.date() else f"{day} at {then:%H:%M}"


def _zone() -> ZoneInfo | None:
    """As the browser told it; None: the server's own."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ValueError, OSError, KeyError):
        return None
