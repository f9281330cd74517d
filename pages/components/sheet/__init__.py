"""A button that opens and folds the sidebar, where a telephone shows it as a sheet at the bottom.

Streamlit's own button for that stands at the top of the page, out of a thumb's reach. What the sheet looks
like is in ``pages/assets/frame.css``.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).parent
_SLIDERS = "M4 7h9m6 0h1M4 17h1m6 0h9M16 4.5v5M8 14.5v5"
_ICON = f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{_SLIDERS}"/></svg>'
_button = st.components.v2.component(
    "augury_sheet",
    html=f'<button type="button">{_ICON}<span class="label"></span></button>',
    css=(_ASSETS / "sheet.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "sheet.js").read_text(encoding="utf-8"),
)


def sheet_button(label: str, place: str, *, is_open: bool) -> None:
    """Draw it; `pages.features.frame.bar` places it.

    Args:
        label: what is in the sidebar, in a word.
        place: names what is shown. Whoever comes to another place finds the sheet open there, or folded …
        is_open: … as this says.
    """
    _button(key="sheet_button", data={"label": label, "place": place, "open": is_open}, height="stretch")
