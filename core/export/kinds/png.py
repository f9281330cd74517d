"""Every chart as a picture of pixels, twice as many each way as the page has: the SVGs, seen by a Chrome.

kaleido drives the Chrome or Chromium that is installed; it looks at ``BROWSER_PATH`` first, then on the path.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from core.export.charts import Chart, charts
from core.export.source import Asked
from core.figures.svg import WIDTH
from core.run.errors import SpecError

SCALE = 2
SECONDS = 60.0  # that one picture may take
NO_BROWSER = (
    "PNG needs Chrome or Chromium, and none could be started. Install one, or set BROWSER_PATH to where it "
    "is; the kind svg needs none."
)


def write(asked: Asked, folder: Path) -> None:
    """``accuracy.png``, ``loss.png`` and so on.

    Raises:
        SpecError: there is no browser that could draw them.
    """
    import kaleido
    from kaleido.errors import BrowserClosedError, BrowserFailedError, ChromeNotFoundError

    asked_for = [_picture(chart, folder / f"{chart.name}.png") for chart in charts(asked.runs)]
    offline = {"mathjax": False, "timeout": SECONDS}  # it would fetch mathjax from elsewhere
    try:
        kaleido.write_fig_from_object_sync(asked_for, kopts=offline)
    except (ChromeNotFoundError, BrowserFailedError, BrowserClosedError, OSError) as error:
        raise SpecError("--as", NO_BROWSER, "no_browser") from error
    except TimeoutError as error:
        raise SpecError("--as", f"The browser that draws PNG took longer than {SECONDS:g} s.") from error


def _picture(chart: Chart, path: Path) -> dict[str, Any]:
    """A figure of nothing but the SVG, edge to edge, as kaleido is told of it."""
    source = f"data:image/svg+xml;base64,{base64.b64encode(chart.svg().encode()).decode()}"
    image = {"source": source, "xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 1, "sizey": 1}
    layout = {
        "images": [image | {"sizing": "stretch", "layer": "above"}],
        "margin": dict.fromkeys("lrtb", 0),
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
    }
    size = {"format": "png", "width": WIDTH, "height": chart.height, "scale": SCALE}
    return {"fig": {"data": [], "layout": layout}, "path": path, "opts": size}
