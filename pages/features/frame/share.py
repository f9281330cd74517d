"""This view as a link, and as a teacher's link with less on the page."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import streamlit as st

from core.augment.catalogue import OPERATIONS
from core.run.spec import AugmentSpec
from pages.features.editor.fields import title
from pages.features.frame.teacher import CONTROLS, dial

_WHOLE = {"strength": "Strength of the whole pipeline", "draw": "New draw"}


def share_box(augment: AugmentSpec) -> None:
    """This view as a link, and as a link for a class with less on it."""
    st.markdown("**This view**")
    st.code(_link({}), language=None, wrap_lines=True)
    st.markdown("**For a class**", help="The page with fewer controls, or with a few dials only.")
    lock = st.toggle("Only some dials", key="share.lock", help="Nothing else can be changed.")
    dials = _dials(augment)
    options = dials if lock else CONTROLS
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


def _dials(augment: AugmentSpec) -> dict[str, str]:
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
        name: value for name, value in st.query_params.items() if name not in ("hide", "lock", "dials")
    } | more
    return f"{here.scheme}://{here.netloc}{here.path}?{urlencode(asked, safe=',')}"
