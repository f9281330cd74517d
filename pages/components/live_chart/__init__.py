"""A Plotly chart that is updated in place while a run is live.

`st.plotly_chart` replaces its node whenever the figure changes, and a person's zoom, hover and legend
choices go with it. Here one node stays under a fixed key and is handed to ``Plotly.react``. plotly.js is
served by the app itself: nothing is fetched from elsewhere. It is plotly.js' own bundle of Cartesian traces
(npm's plotly.js-cartesian-dist-min, of the version in the installed plotly package): a browser needs a third
of the bytes and of the time that the whole costs, which the plotly package ships.

The figure is theme-neutral and so one string serves every viewer of a run; the browser fills in font,
grid and label colours from Streamlit's theme, and again when the theme changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v1 import declare_component

_ASSETS = Path(__file__).parent
PLOTLY = _ASSETS / "plotly" / "plotly-cartesian.min.js"

_live_chart = st.components.v2.component(
    "augury_live_chart",
    html='<div class="augury-chart"><div class="plot"></div><p class="trouble"></p></div>',
    css=(_ASSETS / "live_chart.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "live_chart.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # Plotly's own styles are in the document and don't reach a shadow root
)


def live_chart(
    figure_json: str,
    *,
    key: str,
    height: int,
    alt: str,
    share: float = 0.0,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Shows a figure; later calls under the same key update it where it stands.

    Args:
        figure_json: ``figure.to_json()``: ``{"data": […], "layout": {…}}``. Colours it leaves out are
            the theme's, and so is a colour written ``"var(--st-text-color)"``. A person's zoom is kept
            as long as ``layout.uirevision`` stays the same (so give it the run's id).
        key: the chart's name on the page.
        height: in CSS pixels where letters are 16 of them high, else in proportion. The width is all there
            is.
        alt: what the chart shows, in a sentence.
        share: of the window's height that it takes, if that is more.
        on_pick: called, before the script runs again, when a person clicks a point of a trace that has
            ``ids``, with the point's. It comes from a browser, so it may be anything.
    """

    def picked() -> None:
        if on_pick and (point := st.session_state[key]["picked"]) is not None:
            on_pick(str(point))

    # Bytes go through as they are; a dictionary would be dumped three times over.
    about = f'"plotly":{_plotly_address()},"alt":{json.dumps(alt)},"height":{height},"share":{share}'
    message = f'{{{about},"figure":{figure_json}}}'
    _live_chart(key=key, data=message.encode(), height="content", on_picked_change=picked)


def preload_charts() -> None:
    """Fetches plotly.js ahead of a page's first live chart, which then shows at once.

    Takes next to no room; call it last, where a page has no chart yet but soon will.
    """
    _live_chart(key="preload_charts", data=f'{{"plotly":{_plotly_address()}}}'.encode(), height=1)


@cache
def _plotly_address() -> str:
    """As JSON. Declared for its side effect: the folder is served at /component/<name>/. Streamlit takes
    note of it only while a script runs."""
    served = declare_component("plotly", path=str(PLOTLY.parent))
    return json.dumps(f"component/{served.name}/{PLOTLY.name}?{plotly_version(PLOTLY)}")


def plotly_version(bundle: Path) -> str:
    """The version that a bundle of plotly.js says in its first lines."""
    with bundle.open(encoding="utf-8") as file:
        found = re.search(r" v([0-9.]+)", file.read(200))
    assert found, f"{bundle.name} does not say its version"
    return found[1]
