"""Who looks at a page: a place and a visit, as `core.jobs.turns` wants them."""

from __future__ import annotations

import hashlib
import ipaddress

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.jobs.turns import place_of
from core.run.stopping import By

HERE = "here"  # the place of a browser on the server's own machine


def place() -> str:
    """Where the browser is: at this machine, or else a digest of its address. Of IPv6 half of the address
    counts, for a machine has any number of those that begin alike."""
    address = st.context.ip_address if runtime.exists() else None
    return place_of_address(address if isinstance(address, str) else "")  # AppTest has a stand-in for it


def place_of_address(address: str) -> str:
    """The same of an address; empty, or a loopback's: this machine."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a proxy names its clients in some other way
        return _digest(address.encode()) if address else HERE
    return HERE if parsed.is_loopback else _digest(parsed.packed[:8])


def visitor() -> str:
    """This visit, 64 characters at most."""
    context = get_script_run_ctx()
    return f"{place()}/{_digest(context.session_id.encode()) if context else ''}"


def is_here() -> bool:
    """Whether the visitor sits at the server's own machine, as a teacher does."""
    return place() == HERE


def who_stops(started_by: str) -> By:
    """What this visitor is to a run that ``started_by`` has started, for the reason of its end."""
    if started_by and started_by == visitor():
        return "starter"
    if is_here():
        return "server"
    return "address" if started_by and place_of(started_by) == place() else "visitor"


def _digest(address: bytes) -> str:
    return hashlib.blake2s(address, digest_size=8).hexdigest()
