"""What two of the compared runs take for what, and where they differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.figures.confusion import MOST_NAMED, counted_matrix, has_matrix, matrix_difference
from core.text.escape import plain
from pages.components.live_chart import live_chart
from pages.features.compare.compared import Compared, two_of, why_not_alike

HEIGHT = 400  # pixels
MOST_BESIDE = 12  # classes of matrices that stand three in a row; of more the difference has a row of its own


def confusion_part(runs: Sequence[Compared]) -> None:
    """Both matrices, and the first less the second."""
    if (two := two_of(runs)) is None:
        return
    lacking = [run for run in two if not has_matrix(run.view.history)]
    if lacking:
        for run in lacking:
            st.caption(plain(f"“{run.name}” {_why_none(run)}"))
        return
    one, other = two
    why = _why_no_difference(one, other)
    classes = _classes(one)
    beside = len(classes) <= MOST_BESIDE
    places: Sequence[Any] = st.columns(3) if beside and not why else [*st.columns(2), st.container()]
    for place, run, letter in zip(places, two, "AB", strict=False):
        with place:
            last = run.view.history.epochs[-1]
            wrong = sum(sum(row) for row in last["confusion"]) - _right(last["confusion"])
            _head(f"{letter}: {run.name}", run.colour)
            live_chart(
                json.dumps(counted_matrix(last["confusion"], _classes(run), run.colour)),
                key=f"compare.matrix.{letter}",
                height=HEIGHT,
                alt=f"Confusion matrix of {run.name}: {wrong:,} images are off its diagonal.",
            )
            images = sum(map(sum, last["confusion"]))
            st.caption(f"After epoch {last['epoch']}: {wrong:,} of {images:,} are off the diagonal.")
    if why:
        st.info(plain(why), icon=":material/difference:")
        return
    ours, theirs = (run.view.history.epochs[-1]["confusion"] for run in two)
    with places[2]:
        _head("A − B", "var(--st-text-color)")
        live_chart(
            json.dumps(matrix_difference(ours, theirs, classes, (one.colour, other.colour))),
            key="compare.matrix.difference",
            height=HEIGHT,
            alt=f"Confusion matrix of {one.name} less that of {other.name}.",
        )
        moved = sum(
            abs(a - b) for row, its in zip(ours, theirs, strict=True) for a, b in zip(row, its, strict=True)
        )
        right = _right(ours) - _right(theirs)
        st.caption(
            "How many images more (+) or fewer (−) A has in a cell than B, in the colour of the run that has "
            f"more. On the diagonal they are right: A has {abs(right):,} "
            f"{'fewer' if right < 0 else 'more'} there."
            if moved
            else "Both have the very same counts."
        )
    st.caption("Rows: what an image is; columns: what the network names.")


def _head(text: str, colour: str) -> None:
    """A line in a run's colour over its matrix."""
    st.markdown(f"**{plain(text)}**")
    st.html(f'<hr style="margin:-0.8rem 0 0; border:0; border-top:3px solid {colour}">')


def _why_none(run: Compared) -> str:
    history = run.view.history
    if not history.epochs:
        return "has ended no epoch."
    if len((history.started or {}).get("classes", ())) > MOST_NAMED:
        return f"has more than {MOST_NAMED} classes; of so many no matrix is kept."
    return "is of an older version, which did not keep its matrix; train it again to see it."


def _why_no_difference(one: Compared, other: Compared) -> str:
    if _classes(one) != _classes(other):
        return "They tell different classes apart, so there is no difference of the two."
    why = why_not_alike(one.view, other.view)
    return why and f"{why} Their difference is left out."


def _classes(run: Compared) -> list[str]:
    return list((run.view.history.started or {}).get("classes", ()))


def _right(counts: Sequence[Sequence[int]]) -> int:
    return sum(row[i] for i, row in enumerate(counts))
