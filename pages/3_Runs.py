"""All runs: find them, and lay some of them over each other.

The address holds what is compared: ``?runs=a,b,c``. Another browser with the same address sees the same.
"""

import pages.features.frame.early  # noqa: F401, I001  before all others: see there

import streamlit as st

from pages.features.frame.refused import refusal
from pages.features.frame.setup import page
from pages.features.runs.comparison import asked_runs, comparison
from pages.features.runs.importing import import_box
from pages.features.runs.listing import listing

page("Runs")
if ids := asked_runs():
    comparison(ids)
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Runs", anchor=False, width="stretch")
    import_box()
refusal()
listing()
