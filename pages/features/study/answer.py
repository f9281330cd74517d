"""One study: its picture, its answer in sentences, its table as it fills, and what next."""

from __future__ import annotations

import json

import streamlit as st

from core.catalogue import imported
from core.run.errors import SpecError
from core.study.files import cells_csv
from core.study.questions.catalogue import QUESTIONS
from core.study.questions.strength import StrengthStudy
from core.study.spec import Study
from core.study.studies import StudyView
from core.text.describe import in_words
from core.text.escape import plain, plain_but_bold
from core.text.how_long import in_words as roughly
from pages.components.live_chart import live_chart
from pages.features.editor import choice
from pages.features.frame.asked import ask, obeyed
from pages.features.frame.refused import refusal, refuse
from pages.features.frame.setup import jobs
from pages.features.frame.visitor import asker
from pages.features.study.manager import studies
from pages.features.study.table import open_next, table

REFRESH_SECONDS = 1.0
CHART_HEIGHT, CHART_SHARE = 300, 0.42
_STATE = "augury.study.state"
TO_TRAIN = "augury.study.to_train"  # the answer was chosen: Train is shown next


def answer(study_id: str) -> None:
    """Draw it, live while it runs."""
    view = studies().view(study_id)
    if view is None:
        st.warning("There is no such study on this server, or it was deleted.", icon=":material/search_off:")
        st.page_link(
            "pages/4_Studies.py", label="Ask a question", icon=":material/arrow_back:", query_params={}
        )
        return
    st.session_state[_STATE] = view.state
    _head(view)
    refusal()
    if view.study is None:
        st.error(plain(view.stored.reason), icon=":material/error:")
        return
    st.fragment(_body, run_every=REFRESH_SECONDS if view.state == "running" else None)(study_id)
    _next(view)


def _head(view: StudyView) -> None:
    may = studies().may_control(view.id, asker())
    with st.container(horizontal=True, vertical_alignment="center", key="study_head"):
        st.title(plain(view.title), anchor=False, width="stretch")
        if may and view.state == "running":
            st.button(
                "Pause",
                icon=":material/pause:",
                key="study.pause",
                on_click=ask,
                args=(studies().pause, view.id),
                help="What runs keeps its checkpoint; it can go on tomorrow, bit for bit.",
            )
        if may and view.state == "paused":
            st.button("Go on", icon=":material/play_arrow:", type="primary", key="study.resume", on_click=ask,
                      args=(studies().resume, view.id))  # fmt: skip
        if may:
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown("The study goes, its runs stay. It can be brought back from the list.")
                st.button("Delete the study", key="study.delete", on_click=_delete, args=(view.id,))
        st.page_link("pages/4_Studies.py", label="All studies", icon=":material/arrow_back:", query_params={})
    if view.study is not None:
        entry = QUESTIONS[view.study.question]
        spec = view.study.base
        asked = f"{entry.title} " if view.stored.name else ""
        st.caption(plain(f"{asked}{in_words(spec)} · {spec.train.epochs} epochs"))


def _body(study_id: str) -> None:
    view = studies().view(study_id)
    if view is None or view.study is None or view.state != st.session_state.get(_STATE):
        st.rerun()
        return
    _progress(view)
    entry = QUESTIONS[view.study.question]
    left, right = st.columns([3, 2], gap="large")
    with left:
        if chart := imported(entry.chart)(view.result):
            live_chart(
                json.dumps(chart.figure), key=f"study.chart.{view.id}", height=CHART_HEIGHT, alt=chart.alt,
                share=CHART_SHARE, on_pick=_open_run,
            )  # fmt: skip
        else:
            st.info(f"The picture begins {entry.begins}.", icon=":material/query_stats:")
    with right:
        st.markdown("**The answer**" if view.state == "finished" else "**The answer so far**")
        said = imported(entry.says)(view.result)
        for sentence in said:
            st.markdown(plain_but_bold(sentence))
        if not said:
            st.caption("Nothing can be said yet.")
    table(view)


def _progress(view: StudyView) -> None:
    """How much is done, what is trained now, how long the rest takes."""
    if view.study is None:
        return
    _, epochs = view.study.cost()
    done, of = _epochs_done(view), max(epochs, 1)
    known = f"{view.done} of {len(view.cells)} cells"
    if view.state == "finished":
        failed = f", {len(view.failed)} failed" if view.failed else ""
        st.caption(plain(f"Done: {known}{failed}. Each is a run: press one in the table."))
        return
    said = [known]
    if view.state == "running" and (left := _seconds_left(view, done, of)) is not None:
        said.append(f"{roughly(left)} left")
    if view.state == "paused":
        said.append("paused")
    if view.stored.reason:
        said.append(view.stored.reason)
    st.progress(min(1.0, done / of), plain(" · ".join(said)))


def _epochs_done(view: StudyView) -> float:
    """Of all runs together, the ones that are trained now with their part."""
    longest: dict[str, float] = {}
    for told in view.table.values():
        if told.figures is not None:
            longest[told.run_id] = max(longest.get(told.run_id, 0), told.figures.epochs)
        elif told.state == "runs" and (run := jobs().view(told.run_id)) is not None:
            longest[told.run_id] = max(longest.get(told.run_id, 0), run.history.epochs_done())
    return sum(longest.values())


def _seconds_left(view: StudyView, done: float, of: int) -> float | None:
    """By what the cells took that were trained for it."""
    trained = [told.figures for told in view.table.values() if told.figures is not None]
    epochs = sum(each.epochs for each in trained)
    if not epochs:
        return None
    return (of - done) * sum(each.seconds for each in trained) / epochs


def _open_run(run_id: str) -> None:
    """A point that was pressed says which run it is; it comes from a browser."""
    view = studies().view(st.query_params.get("study", ""))
    if view is not None and any(told.run_id == run_id for told in view.table.values()):
        open_next(run_id)


def _next(view: StudyView) -> None:
    """What can be done with the answer."""
    study = view.study
    assert study is not None
    may = studies().may_control(view.id, asker())
    with st.container(horizontal=True, vertical_alignment="center", key="study_next"):
        if isinstance(study, StrengthStudy):
            _of_strength(view, study, may)
        if may and view.failed and view.state != "running":
            st.button("Try the failed cells again", icon=":material/replay:", key="study.again", on_click=ask,
                      args=(studies().try_again, view.id))  # fmt: skip
        st.download_button("Cells (CSV)", lambda: cells_csv(view.cells, view.table), "augury-cells.csv",
                           icon=":material/download:", key="study.csv")  # fmt: skip
        st.download_button("Answer (JSON)", json.dumps(dict(view.result), indent=2, ensure_ascii=False),
                           "augury-result.json", icon=":material/download:", key="study.result")  # fmt: skip
        st.download_button(
            "Study (JSON)",
            study.model_dump_json(indent=2),
            "augury-study.json",
            icon=":material/download:",
            key="study.spec",
            help="`python -m core study STUDY.json --out DIR` asks it again without a page.",
        )


def _of_strength(view: StudyView, study: StrengthStudy, may: bool) -> None:
    choice_made = study.choice(view.table)
    if choice_made is None:
        return
    st.button(
        f"Train with λ = {' and '.join(f'{each:g}' for each in choice_made.lambda_1se)}",
        type="primary",
        icon=":material/model_training:",
        key="study.use",
        on_click=_use,
        args=(study, choice_made.lambda_1se),
    )
    if may and view.state == "finished" and (longer := study.extended(view.table)):
        st.button(
            "Extend the grid",
            icon=":material/unfold_more:",
            key="study.extend",
            on_click=_extend,
            args=(view.id, longer),
            help="The best lies at its edge: values beyond it are tried, too.",
        )


def _extend(study_id: str, longer: Study) -> None:
    obeyed(studies().ask_more, study_id, longer)


def _use(study: StrengthStudy, point: tuple[float, ...]) -> None:
    """Its run with this λ, as choices on Train."""
    try:
        choice.start_from(study.with_strengths(point))
    except SpecError as error:
        refuse(error)
        return
    st.session_state[TO_TRAIN] = True


def _delete(study_id: str) -> None:
    if obeyed(studies().delete, study_id):
        st.session_state["augury.study.deleted"] = study_id
        st.query_params.pop("study", None)
