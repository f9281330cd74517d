"""Ask a question: which, about which run, by how many runs; what it costs, and Start."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import streamlit as st

from core.jobs.manager import FROZEN
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.store import MAX_RUNS
from core.study.cost import Price, price
from core.study.driver import already_there
from core.study.examples import suits
from core.study.questions.catalogue import QUESTIONS
from core.study.spec import MAX_STUDY_BYTES, Study, check_folders, parse_study
from core.text.escape import plain
from core.text.how_long import in_words
from core.text.refusals import in_words as refused
from pages.features.frame.refused import refuse
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import is_teacher, visitor
from pages.features.study.base import base_run
from pages.features.study.manager import studies

ASK = "ask"  # in the address: a question


def ask_box() -> None:
    """Draw it."""
    asked = st.query_params.get(ASK, "")
    question = st.segmented_control(
        "What do you want to know?",
        list(QUESTIONS),
        default=asked if asked in QUESTIONS else next(iter(QUESTIONS)),
        required=True,
        format_func=lambda name: QUESTIONS[name].title,
        key="study.question",
    )
    entry = QUESTIONS[question or next(iter(QUESTIONS))]
    st.markdown(entry.help)
    with st.container(border=True):
        left, right = st.columns([3, 2], gap="large")
        with left:
            base = base_run({"What suits this question": suits(entry.name)})
            said = None if base is None else _fields(entry.name)(base)
        with right:
            if said is not None:
                _offer(
                    {"version": 1, "question": entry.name, "base": said[0].model_dump(mode="json"), **said[1]}
                )


def _fields(question: str) -> Any:
    """What draws the dials of a question; one without any of its own is asked as it is."""
    try:
        return import_module(f"pages.features.study.forms.{question.replace('-', '_')}").fields
    except ModuleNotFoundError:
        return lambda base: (base, {})


def _offer(values: dict[str, Any]) -> None:
    """What it would be, what it costs, and Start."""
    try:
        study = parse_study(values)
        cells = study.cells({})
    except SpecError as error:
        st.error(plain(refused(error)), icon=":material/error:")
        return
    reused = already_there(jobs(), cells)
    found = price(study, cells, reused, jobs().recent(MAX_RUNS))
    st.markdown("**What it takes**")
    columns = st.columns(2)
    columns[0].metric("Runs", f"{found.runs:,}")
    time_needed = in_words(found.seconds).removeprefix("about ") if found.seconds else "not measured"
    time_needed = time_needed.replace("some seconds", "< 10 s")  # as wide as the figure may be
    columns[1].metric("Time", plain(time_needed))
    st.caption(plain(_more(found)))
    name = st.text_input("Name", max_chars=80, key="study.name", placeholder=QUESTIONS[study.question].title)
    frozen = jobs().frozen() and not is_teacher()
    with st.container(horizontal=True):
        st.button(
            "Start the study",
            type="primary",
            icon=":material/play_arrow:",
            key="study.start",
            disabled=frozen,
            on_click=_start,
            args=(study, name),
        )
        if found.seconds is None:
            st.button(
                "Time one run first", icon=":material/timer:", key="study.time", disabled=frozen,
                on_click=_time_one, args=(cells[0].spec,),
                help="Trains the first of its runs. The study uses it, so no time is lost.",
            )  # fmt: skip
    if frozen:
        st.caption(FROZEN)
    with st.popover("As JSON", icon=":material/data_object:"):
        _as_json(study)


def _more(found: Price) -> str:
    said = [f"{found.epochs:,} epochs in all."]
    if found.reused:
        more = "1 more run is" if found.reused == 1 else f"{found.reused:,} more runs are"
        said.append(f"{more} there already, and used.")
    if found.seconds is not None:
        said.append(f"By “{found.measured_in}” on this machine, if nobody else trains.")
    else:
        said.append("No run like these was trained on this machine yet.")
    return " ".join(said)


def _as_json(study: Study) -> None:
    """The study as `core study` takes it; and one that somebody has written."""
    text = study.model_dump_json(indent=2)
    st.download_button(
        "Study (JSON)", text, "augury-study.json", icon=":material/download:", key="study.json"
    )
    st.caption("`python -m core study STUDY.json --out DIR` answers it without a page.")
    st.text_area(
        "Or ask one that you have written", key="study.written", height=160, max_chars=MAX_STUDY_BYTES,
        placeholder='{"version": 1, "question": "strength", "base": {…}}',
    )  # fmt: skip
    st.button(
        "Start this one", icon=":material/play_arrow:", key="study.start_written", on_click=_start_written
    )


def _start(study: Study, name: str) -> None:
    try:
        study_id = studies().start(study, visitor(), name.strip())
    except SpecError as error:
        refuse(error)
        return
    for key in (ASK, "about", "spec"):
        st.query_params.pop(key, None)
    st.query_params["study"] = study_id


def _start_written() -> None:
    try:
        study = parse_study(str(st.session_state.get("study.written") or ""))
        check_folders(study)
    except SpecError as error:
        refuse(error)
        return
    _start(study, study.name)


def _time_one(spec: RunSpec) -> None:
    try:
        jobs().submit(spec, visitor=visitor())
    except SpecError as error:
        refuse(error)
