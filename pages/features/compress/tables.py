"""What was made, as tables: every network of the family, and what changed in each layer of the one shown."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.figures.compress import Cost
from core.jobs.views import RunView
from core.run.events import Event
from core.text.describe import title
from core.text.escape import plain
from core.text.shares import in_full, percent
from core.transform.rows import (
    Alone,
    Compared,
    Judged,
    Layer,
    PathPoint,
    SoftLabel,
    Why,
    rows_of,
)

NAMED = 3  # classes
ROW_HEIGHT = 48  # pixels: an image can be seen


def networks(points: Sequence[Cost], shown: str) -> None:
    """A row a network, the original first; the others by what was done to it, as their names begin alike."""
    rows, begins = [], f"{points[0].name}, "
    for point in points:
        if point.kind == "other":
            continue
        rows.append(
            {
                "network": plain(point.name.removeprefix(begins)) + " (this one)" * (point.id == shown),
                "accuracy": in_full(point.accuracy, point.images),
                "numbers left": f"{point.left:,}",
                "file (kB)": f"{(point.bytes or 0) / 1000:,.1f}",
                "multiply-adds": f"{point.multiply_adds:,}",
                "time (of the original's)": percent(point.time) if point.time is not None else "–",
            }
        )
    st.dataframe(rows, hide_index=True)


def live(members: Sequence[RunView]) -> None:
    """What is being made now, and what could not be."""
    for view in members:
        if not view.ended:
            progress = view.progress()
            st.progress(progress.share, plain(f"{title(view.spec)}: {view.state}"))
        elif view.state == "failed":
            st.error(plain(f"{title(view.spec)}: {view.reason}"), icon=":material/error:")


def layers(view: RunView) -> None:
    """Of a network that was made of others: what was done."""
    history = view.history
    for why in rows_of(history, "why", Why):
        st.info(plain(why.says), icon=":material/info:")
    if kept := rows_of(history, "layers", Layer):
        st.markdown("**What is kept of each layer**")
        st.dataframe(
            [
                {
                    "layer": plain(row.layer),
                    "of": plain(row.what),
                    "kept": f"{row.kept:,} of {row.of:,}",
                    "share": percent(min(1.0, row.kept / max(1, row.of))),
                }
                for row in kept
            ],
            hide_index=True,
        )
    if alone := rows_of(history, "alone", Alone):
        st.markdown("**Which layer hurts most**: the accuracy with this one alone quantised")
        st.dataframe([{"layer": plain(row.layer), **_figures(row)} for row in alone], hide_index=True)
    if compared := rows_of(history, "compared", Compared):
        st.markdown("**Beside it**")
        st.dataframe([{"network": plain(row.what), **_figures(row)} for row in compared], hide_index=True)
    if path := rows_of(history, "path", PathPoint):
        _path(path)
    if soft := rows_of(history, "soft labels", SoftLabel):
        _soft_labels(soft)
    first, *others = history.epochs or ({},)
    if others and first["epoch"] == 0:
        _then(first, others[-1], history.validation_images)


def _then(first: Event, last: Event, images: int | None) -> None:
    """What further training gained."""
    at_once, after = (plain(in_full(each["validation_accuracy"], images)) for each in (first, last))
    epochs = "1 more epoch" if last["epoch"] == 1 else f"{last['epoch']:d} more epochs"
    st.caption(f"At once {at_once}; after {epochs} {after}.")


def _figures(row: Judged) -> dict[str, str]:
    found = {"accuracy": in_full(row.accuracy, row.images), "loss": f"{row.loss:.3f}"}
    if row.calibration_error is not None:
        found["calibration error"] = f"{row.calibration_error:.3f}"
    return found


def _path(rows: Sequence[PathPoint]) -> None:
    """From one network to the other."""
    st.markdown("**Between the two**: the accuracy of their mean, at shares of the second")
    ways = list(dict.fromkeys(row.way for row in rows))
    by = {(row.way, row.at): in_full(row.accuracy, row.images) for row in rows}
    st.dataframe(
        [
            {"share": f"{at:.1f}", **{plain(way): by.get((way, at), "–") for way in ways}}
            for at in sorted({row.at for row in rows})
        ],
        hide_index=True,
    )
    if any(row.norms_renewed for row in rows):
        st.caption("Statistics of batch norm were taken anew for every mean, on training images.")


def _soft_labels(rows: Sequence[SoftLabel]) -> None:
    """The classes that teachers think of most, as they are and softened."""
    st.markdown(
        "**What the teachers know beyond the label**: of the validation images that they are least sure of, "
        "and of as many that they are surest of"
    )
    st.dataframe(
        [
            {
                "image": f"data:image/png;base64,{row.image}" if row.image else None,
                "place": f"{row.place:d}",
                "label": plain(row.label),
                "they answer": _most(row.classes, row.hard),
                "softened, as the student learns it": _most(row.classes, row.soft),
            }
            for row in rows
        ],
        hide_index=True,
        row_height=ROW_HEIGHT,
        column_config={"image": st.column_config.ImageColumn(width="small")},
    )


def _most(classes: Sequence[str], shares: Sequence[float]) -> str:
    named = sorted(zip(shares, classes, strict=False), key=lambda pair: -pair[0])[:NAMED]
    return ", ".join(f"{plain(name)} {percent(share)}" for share, name in named)
