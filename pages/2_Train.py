"""Choose a run's parts, start it, watch it.

The address holds everything: ``?spec=`` the choices, ``?run=`` the run that is shown. A reload or
another browser with the same address sees the same.
"""

import pages.features.frame.early  # noqa: F401, I001  before all others: see there

import streamlit as st

from core.catalogues import completed
from core.run.changes import place_of_error
from core.run.errors import SpecError
from core.text.refusals import in_words
from pages.components.live_chart import preload_charts
from pages.features.editor import choice
from pages.features.editor.data_part import waits_for_images
from pages.features.editor.fork import chosen_fork, fork_line
from pages.features.editor.marks import marking, say
from pages.features.editor.start_bar import about_it, start_bar, start_button
from pages.features.editor.train_form import train_form
from pages.features.frame.setup import page
from pages.features.frame.teacher import part_shown
from pages.features.live.live_view import live_view, sheet_of
from pages.features.live.starting import waiting_line
from pages.features.live.trained_before import offer
from pages.features.plan.plan_view import plan_view
from pages.features.runs.editing import deleted_note
from pages.features.study.strength_path import choose_lambda

page("Train", sheet_of(st.query_params.get("run", "")))

if run_id := st.query_params.get("run"):
    live_view(run_id)
    st.stop()

fork = chosen_fork()
spec, problem = choice.current(), None
opened = "start" not in st.session_state  # and not drawn again, after a press
try:
    if fork:
        fork.fork.check(completed(spec))
    completed(spec)
except SpecError as error:
    problem = error
    choice.open_part(place_of_error(error.where, spec).split(".")[0])
if fork:
    with st.sidebar:
        fork_line(fork)
with st.sidebar, marking(spec, choice.base().spec) as marks:
    batch = train_form(spec, marks)
with st.container(key="start_bar", horizontal=True, vertical_alignment="bottom"):
    st.title("Train", anchor=False, width="content")
    bar = start_bar(spec, fork)
    place_of_start = st.container(width="content")
choice.remember(bar.spec)
acted = choice.acted(bar.spec, opened=opened)
waits = waits_for_images(bar.spec.data)
if not waits and not problem:
    bar = bar._replace(spec=completed(bar.spec))
with place_of_start:
    start_button(bar, waits or problem is not None, fork)
if not waits and not problem:
    about_it(bar)
refused = st.container()
deleted_note()
waiting_line()
offer(bar.to_start)
choice.say_what_is_gone()
if waits:
    refused.info(
        "Upload a zip of your images in the form: a folder a class. Then you see here what is in it.",
        icon=":material/upload:",
    )
elif not problem:
    try:
        plan_view(bar.spec, batch)
        if part_shown("lambda"):
            choose_lambda(bar.spec)
    except SpecError as error:
        problem = error
if problem and not waits:
    marks.refuse(problem, acted)
    say(in_words(problem), acted, refused)
preload_charts()
