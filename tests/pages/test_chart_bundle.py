"""The bundle of plotly.js that lies beside the live chart."""

from pathlib import Path

import plotly

from pages.components.live_chart import PLOTLY, plotly_version


def test_it_is_of_the_installed_plotlys_version():
    """Figures are made by the one and drawn by the other."""
    whole = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    assert plotly_version(PLOTLY) == plotly_version(whole)
