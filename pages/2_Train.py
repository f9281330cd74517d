"""Choose a run's parts, start it, watch it.

The address holds everything: ``?spec=`` the choices, ``?run=`` the run that is shown. A reload or
another browser with the same address sees the same.
"""

import streamlit as st

from core.errors import SpecError
from core.vocabulary import complete
from pages.widgets import choice
from pages.widgets.lambda_path import choose_lambda
from pages.widgets.live_chart import preload_charts
from pages.widgets.live_view import live_view
from pages.widgets.loaded import loaded
from pages.widgets.plan_view import plan_view
from pages.widgets.setup import page
from pages.widgets.start import start_run, waiting_line
from pages.widgets.train_form import train_form

page("Train")

if run_id := st.query_params.get("run"):
    live_view(run_id)
    st.stop()

spec, problem = choice.current(), None
with st.sidebar:
    spec = train_form(spec)
choice.remember(spec)
try:
    spec = complete(spec)
except SpecError as error:
    problem = error

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.title("Train", anchor=False, width="content")
    st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        key="start",
        on_click=start_run,
        args=(spec,),
        disabled=problem is not None,
    )
waiting_line()
if not problem:
    try:
        plan_view(spec, loaded(spec.data))
        choose_lambda(spec)
    except SpecError as error:
        problem = error
if problem:
    st.error(str(problem), icon=":material/error:")
preload_charts()
