"""Who looks at a page: a place and a visit, as `core.jobs.turns` wants them."""

from __future__ import annotations

import hashlib
import ipaddress

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.jobs.rights import HERE, TEACHER, Asker, is_teachers_key

CONTROL = "control"  # in an address: the key of a run's control link
_KEY = "augury.teacher"  # in a visit: the teacher's key, which is looked at again each time


def place() -> str:
    """Where the browser is: at this machine, or else a digest of its address. Of IPv6 half of the address
    counts, for a machine has any number of those that begin alike. Who has shown the teacher's key is at no
    address: he is the teacher."""
    found = place_of_address(_address())
    shown = st.session_state.get(_KEY)
    return TEACHER if found != HERE and isinstance(shown, str) and is_teachers_key(shown) else found


def place_of_address(address: str) -> str:
    """The same of an address; empty, or a loopback's: this machine."""
    parsed = _parsed(address)
    if parsed is None:  # a proxy names its clients in some other way
        return _digest(address.encode()) if address else HERE
    return HERE if parsed.is_loopback else _digest(parsed.packed[:8])


def visitor() -> str:
    """This visit, 64 characters at most."""
    context = get_script_run_ctx()
    visit = _digest(context.session_id.encode()) if context else ""
    return f"{place()}/{visit}{_seat(_address())}"


def asker() -> Asker:
    """This visitor, as one who asks something of a run; he may have come by its control link."""
    return Asker(visitor(), st.query_params.get(CONTROL, ""))


def is_teacher() -> bool:
    """Whether the visitor has shown the teacher's key, or sits at the server's own machine."""
    return Asker(visitor()).is_teacher


def keep_teachers_key(key: str) -> None:
    """Remember it for this visit."""
    st.session_state[_KEY] = key


def _address() -> str:
    address = st.context.ip_address if runtime.exists() else None
    return address if isinstance(address, str) else ""  # AppTest has a stand-in for it


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None: it is none. A server that listens to IPv4 and IPv6 at once sees ``::ffff:192.0.2.1``."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _seat(address: str) -> str:
    """Of IPv6, the whole address: a network's machines share a place, but not each other's runs."""
    parsed = _parsed(address)
    return f".{_digest(parsed.packed)}" if parsed and parsed.version == 6 and not parsed.is_loopback else ""


def _digest(address: bytes) -> str:
    return hashlib.blake2s(address, digest_size=8).hexdigest()
