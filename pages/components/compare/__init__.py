"""One picture before and after, with a divider between them that a person moves."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).parent
_SIDE = '<div class="{0}"><img decoding="sync"><span class="label" aria-hidden="true"></span></div>'
_compare = st.components.v2.component(
    "augury_compare",
    html='<div class="compare" role="group">'
    + _SIDE.format("before")
    + _SIDE.format("after")
    + '<div class="divider" role="slider" tabindex="0" aria-valuemin="0" aria-valuemax="100"></div></div>',
    css=(_ASSETS / "compare.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "compare.js").read_text(encoding="utf-8"),
)


def compare(
    before: str, after: str, *, key: str, alt: str, labels: tuple[str, str] = ("original", "augmented")
) -> None:
    """Shows ``before`` left of the divider and ``after`` right of it.

    Later calls under the same key swap the pictures and leave the divider where it is. Pictures below
    96 pixels are enlarged without smoothing, so that each pixel can be seen.

    Args:
        before: a data URI, as `core.pictures.encode_images` makes.
        after: a data URI; if it has another shape, it is fitted into the first one's.
        key: the comparison's name on the page.
        alt: what both pictures show.
        labels: a word for each.
    """
    message = {"before": before, "after": after, "alt": alt, "labels": labels}
    # Bytes go through as they are; a dictionary would be dumped three times over.
    _compare(key=key, data=json.dumps(message).encode())
