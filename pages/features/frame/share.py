"""This view as a link, and as a teacher's link with less on the page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from core.augment.catalogue import OPERATIONS
from core.classroom import HERE, addresses
from core.jobs.rights import opens
from core.jobs.views import RunView
from core.run.errors import SpecError
from core.run.spec import AugmentSpec
from pages.features.editor.fields import title
from pages.features.frame.asked import may_change
from pages.features.frame.refused import refuse
from pages.features.frame.setup import jobs
from pages.features.frame.size import NAME, size_switch
from pages.features.frame.teacher import dial
from pages.features.frame.visitor import CONTROL, asker

_KEYS = "augury.control_keys"  # of the runs that this visit started, or has a new link for, by run
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


def run_share_box(view: RunView) -> None:
    """A run's link to watch it, as other devices reach it, with a code for their cameras; and for those who
    may steer it a link to do that."""
    address, others = _address_for_others()
    link = f"{address}?{urlencode({'run': view.id})}"
    st.markdown("**Link to watch this run**")
    st.code(link, language=None, wrap_lines=True)
    if not others:
        st.caption("Only this machine can open it. Start Augury with `make class`, and others can.")
        size_switch()
        return
    if may_change(view):
        _control_link(view, address)
    code = segno.make(link, error="m").svg_data_uri(scale=4, border=2, light="white")
    st.html(f'<img src="{code}" alt="The link as a QR code" style="width: 12rem; max-width: 100%">')
    st.caption("The link to watch, for a camera. Whoever is on this network sees the run live.")
    size_switch()


def link_here(query: Mapping[str, str]) -> str:
    """This page with another query, as other devices reach it, if they can."""
    return f"{_address_for_others()[0]}?{urlencode(query, safe=',')}"


def keep_control_key(run_id: str, key: str) -> None:
    """Remember it for this visit: the server has no more than a digest of it."""
    st.session_state.setdefault(_KEYS, {})[run_id] = key


def _control_link(view: RunView, address: str) -> None:
    st.markdown("**Link to control it**")
    known = (st.query_params.get(CONTROL, ""), st.session_state.get(_KEYS, {}).get(view.id, ""))
    key = next((each for each in known if opens(view, each)), None)
    if key is not None:
        asked = {"run": view.id, CONTROL: key}
        st.code(f"{address}?{urlencode(asked)}", language=None, wrap_lines=True)
        st.caption("Whoever opens this one can also stop, change and delete the run, on any device.")
    st.button(
        "New control link" if view.control else "Make a control link",
        icon=":material/key:",
        key="new_control",
        help="The link before opens nothing any more." if view.control else None,
        on_click=_new_control,
        args=(view.id,),
    )


def _new_control(run_id: str) -> None:
    """For the visit that came by the link before, the new key takes its place in the address, too."""
    try:
        key = jobs().new_control_key(run_id, asker())
    except SpecError as error:
        refuse(error)
        return
    keep_control_key(run_id, key)
    if CONTROL in st.query_params:
        st.query_params[CONTROL] = key


def _address_for_others() -> tuple[str, bool]:
    """This page's address without its query, as other devices reach it, and whether they can."""
    here = urlsplit(st.context.url or "")
    host, others = _for_others(here.hostname or "localhost")
    port = f":{here.port}" if here.port else ""
    return f"{here.scheme or 'http'}://{host}{port}{here.path}", others


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
        name: value
        for name, value in st.query_params.items()
        if name not in ("hide", "lock", "dials", CONTROL, "teacher", NAME)
    } | more
    return f"{here.scheme}://{here.netloc}{here.path}?{urlencode(asked, safe=',')}"
