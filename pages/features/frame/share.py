"""This view as a link, and as a teacher's link with less on the page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from core.augment.catalogue import OPERATIONS
from core.classroom import HERE, addresses
from core.run.spec import AugmentSpec
from pages.features.editor.fields import title
from pages.features.frame.size import NAME, size_switch
from pages.features.frame.teacher import dial

_WHOLE = {"strength": "Strength of the whole pipeline", "draw": "New draw"}


def share_box(controls: Mapping[str, str], dials: Mapping[str, str]) -> None:
    """This view as a link, and as a link for a class with less on it.

    Args:
        controls: what can be hidden; ``dials``: what can be left of a page that is locked. By name, in words.
    """
    st.markdown("**This view**")
    st.code(_link({}), language=None, wrap_lines=True)
    st.markdown("**For a class**", help="The page with fewer controls, or with a few dials only.")
    lock = st.toggle("Only some dials", key="share.lock", help="Nothing else can be changed.")
    options = dials if lock else controls
    chosen = st.multiselect(
        "Dials to leave" if lock else "Controls to hide",
        list(options),
        format_func=lambda name: options[name],
        key="share.dials" if lock else "share.hide",
    )
    if lock:
        st.code(_link({"lock": "1", "dials": ",".join(chosen)}), language=None, wrap_lines=True)
    elif chosen:
        st.code(_link({"hide": ",".join(chosen)}), language=None, wrap_lines=True)
    else:
        st.caption("Choose what a class should not see, and its link stands here.")
    size_switch()


def run_share_box(run_id: str) -> None:
    """A run's link, as other devices reach it, with a code for their cameras."""
    here = urlsplit(st.context.url or "")
    host, others = _for_others(here.hostname or "localhost")
    port = f":{here.port}" if here.port else ""
    link = f"{here.scheme or 'http'}://{host}{port}{here.path}?{urlencode({'run': run_id})}"
    st.markdown("**This run**")
    st.code(link, language=None, wrap_lines=True)
    if others:
        code = segno.make(link, error="m").svg_data_uri(scale=4, border=2, light="white")
        st.html(f'<img src="{code}" alt="The link as a QR code" style="width: 12rem; max-width: 100%">')
        st.caption("Whoever is on this network sees it live.")
    else:
        st.caption("Only this machine can open it. Start Augury with `make class`, and others can.")
    size_switch()


def _for_others(host: str) -> tuple[str, bool]:
    """The name by which other devices reach this server, and whether they can."""
    if host not in HERE:
        return host, True
    if st.config.get_option("server.address") in HERE:
        return host, False
    found = addresses()
    return (found[0], True) if found else (host, False)


def dials_of(augment: AugmentSpec) -> dict[str, str]:
    """The dials of the lab, by their names in a link."""
    named = dict(_WHOLE)
    for op in augment.ops:
        entry = OPERATIONS[op.op]
        named[dial(op, "enabled")] = f"{entry.title}: on"
        if not entry.fixed_p:
            named[dial(op, "p")] = f"{entry.title}: probability"
        for parameter in entry.parameters:
            named[dial(op, parameter.name)] = f"{entry.title}: {title(parameter).lower()}"
    return named


def _link(more: dict[str, str]) -> str:
    """This page's address with all it shows now, without what another link hid."""
    here = urlsplit(st.context.url or "")
    asked = {
        name: value for name, value in st.query_params.items() if name not in ("hide", "lock", "dials", NAME)
    } | more
    return f"{here.scheme}://{here.netloc}{here.path}?{urlencode(asked, safe=',')}"
