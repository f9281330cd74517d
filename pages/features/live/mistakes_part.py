"""What a run's network gets wrong: which classes it takes for which, and the images themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.figures.confusion import MOST_NAMED, confusion_matrix, has_matrix, latest_matrix
from core.figures.epochs_csv import identity
from core.figures.predictions import how_to_load, predictions_csv
from core.jobs.views import RunView
from core.measure.confusion import Confusion, confusions, confusions_of, mistakes
from core.run.errors import SpecError
from core.text.escape import plain
from pages.components.gallery import Line, Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.frame.asking import ask
from pages.features.frame.downloads import has_weights
from pages.features.live.run_charts import chart, shown_history

SHOWN = 18  # images
MOST_PAIRS = 12
_SUREST = "surest"


def mistakes_part(view: RunView) -> None:
    """While a run trains, what is mistaken for what; then ask the saved network about every validation image,
    and show what is wrong."""
    if not view.ended:
        _so_far(view, "The images themselves are shown when the run has ended.")
        return
    if not has_weights(view.id):
        _so_far(view, "This run has left no weights to ask; train it again to see its mistakes.")
        return
    try:
        with st.spinner("Asking the network about every validation image…"):
            found = ask("predictions", spec=view.spec, run_id=view.id, version=view.version)
    except SpecError as error:
        st.error(plain(error.what), icon=":material/error:")
        return
    wrong = sum(a != b for a, b in zip(found["labels"], found["answers"], strict=True))
    pairs = confusions(found["labels"], found["answers"])
    images, classes = len(found["labels"]), found["classes"]
    st.markdown(_in_words(images, wrong, pairs, classes))
    left, right = st.columns([5, 6], gap="large")
    with left:
        st.caption("Rows: what an image is; columns: what the network names. Click a number for its images.")
        live_chart(
            json.dumps(confusion_matrix(found["labels"], found["answers"], found["classes"])),
            key="mistakes.matrix",
            height=430,
            alt=f"Confusion matrix of {len(found['labels']):,} images: {wrong:,} are off its diagonal.",
            on_pick=_pick,
        )
    with right:
        _images(view, found)
    _take_home(view, found)


def _so_far(view: RunView, then: str) -> None:
    """The matrix of the last epoch, if it has one, and what ``then`` says of the images."""
    history = shown_history(view)
    if not has_matrix(history):
        many = len((history.started or {}).get("classes", ())) > MOST_NAMED
        first = "" if history.epochs or view.ended else "The first matrix comes after the first epoch. "
        st.caption(f"Of more than {MOST_NAMED} classes none is kept. {then}" if many else f"{first}{then}")
        return
    assert history.started is not None
    last, classes = history.epochs[-1], history.started["classes"]
    counts = last["confusion"]
    images = sum(map(sum, counts))
    wrong = images - sum(row[i] for i, row in enumerate(counts))
    pairs = confusions_of(counts)
    st.markdown(f"After epoch {last['epoch']}: {_in_words(images, wrong, pairs, classes)}")
    with st.container(width=560):
        live_chart(
            chart(view, latest_matrix),
            key="mistakes.now",
            height=430,
            alt=f"Confusion matrix of {images:,} images: {wrong:,} are off its diagonal.",
        )
    st.caption(f"Rows: what an image is; columns: what the network names. {then}")


def _in_words(images: int, wrong: int, pairs: Sequence[Confusion], classes: Sequence[str]) -> str:
    """E.g. ``**29 mistakes** in 1,000 validation images. Most often: 4 taken for 9 (6), 7 for 2 (4).``"""
    what = "mistake" if wrong == 1 else "mistakes"
    count = f"**{wrong:,} {what}** in {images:,} validation images."
    often = [
        f"{plain(classes[each.label])} taken for {plain(classes[each.answer])} ({each.images:,})"
        for each in pairs[:3]
    ]
    return f"{count} Most often: {', '.join(often)}." if often else count


def _images(view: RunView, found: Mapping[str, Any]) -> None:
    """Those of the chosen cell, or the mistakes that the network was surest of."""
    names = found["classes"]
    pairs = [
        f"{each.label},{each.answer}" for each in confusions(found["labels"], found["answers"])[:MOST_PAIRS]
    ]
    chosen = _chosen(found)
    options = list(dict.fromkeys([_SUREST, *([chosen] if chosen else []), *pairs]))

    def shown(option: str) -> str:
        if option == _SUREST:
            return "Surest mistakes"
        label, answer = (names[each] for each in _cell(option))
        return plain(f"{label}, named {answer}" if label != answer else f"{label}, correctly")

    key = f"mistakes.shown.{view.id}.{st.session_state.get('mistakes.picked', '')}"
    option = st.selectbox(
        "Images of", options, options.index(chosen) if chosen else 0, format_func=shown, key=key
    )
    pair = None if option == _SUREST else _cell(option)
    entries = mistakes(found["labels"], found["answers"], found["confidence"], pair)
    if not entries:
        st.caption("There are none.")
        return
    pictures = ask("some", data=view.spec.data, places=[found["places"][i] for i in entries[:SHOWN]])[
        "pictures"
    ]
    tiles = [
        Tile(
            src=source,
            alt=f"An image of class {names[found['labels'][i]]}, named {names[found['answers'][i]]}.",
            caption=f"{names[found['labels'][i]]} → {names[found['answers'][i]]}",
            lines=(Line("sure", f"{found['confidence'][i]:.0%}"),),
        )
        for i, source in zip(entries, pictures, strict=False)
    ]
    gallery(tiles, key="mistakes", columns=12)
    more = f" The first {SHOWN} of {len(entries):,}." if len(entries) > SHOWN else ""
    st.caption(f"What it is → what the network names, and how sure it is (softmax).{more}")


def _cell(option: str) -> tuple[int, int]:
    label, answer = option.split(",")
    return int(label), int(answer)


def _chosen(found: Mapping[str, Any]) -> str | None:
    """The cell that a person has picked, if it is one; it comes from a browser."""
    cell = str(st.session_state.get("mistakes.picked", ""))
    span = len(found["classes"])
    known = {f"{i},{j}" for i in range(span) for j in range(span)} if span <= 200 else set()
    return cell if cell in known else None


def _pick(cell: str) -> None:
    st.session_state["mistakes.picked"] = cell


def _take_home(view: RunView, found: Mapping[str, Any]) -> None:
    stem = f"augury-{view.id[:8]}"
    with st.container(horizontal=True):
        st.download_button(
            "Predictions (CSV)",
            predictions_csv(found, identity(view.history, view.id, view.spec)),
            f"{stem}-predictions.csv",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.expander("Load them in Python", icon=":material/code:"):
        st.code(how_to_load(found, stem), language="python")
