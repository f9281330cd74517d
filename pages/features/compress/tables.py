"""What was made, as tables: every network of the family, and what changed in each layer of the one shown."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from core.export.catalogue import EXPORTS
from core.figures import merge_path
from core.figures.compress import Cost, smallest
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
from pages.components.live_chart import live_chart
from pages.features.frame.setup import jobs
from pages.features.frame.share import link_here
from pages.features.live.lineage import sources_of

WITHIN = 0.01  # of accuracy: one point
NAMED = 3  # classes
PATH_HEIGHT = 240  # pixels
ROW_HEIGHT = 48  # pixels: an image can be seen


def networks(points: Sequence[Cost], shown: str) -> None:
    """A row a network, the original first; the others by what was done to it, as their names begin alike."""
    rows, begins = [], f"{points[0].name}, "
    for point in points:
        if point.kind == "other":
            continue
        rows.append(
            {
                "network": point.name.removeprefix(begins) + " (this one)" * (point.id == shown),
                "file (kB)": f"{(point.bytes or 0) / 1000:,.1f}",
                "accuracy": in_full(point.accuracy, point.images),
                "numbers left": f"{point.left:,}",
                "multiply-adds": f"{point.multiply_adds:,}",
                "µs an image": f"{point.microseconds:,.2f}" if point.microseconds is not None else "–",
                "time (of the original's; middle half)": _time(point),
                "": link_here({"run": point.id, "look": "Compress"}),
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"": st.column_config.LinkColumn(display_text="open", width="small")},
    )
    st.caption(
        "Times are forward, of many images at once, measured in turns with the network that it was made of."
    )
    if best := smallest(points, WITHIN):
        _smallest(best, points[0], begins)


def _smallest(best: Cost, original: Cost, begins: str) -> None:
    """What many look for, and how to take it away."""
    assert best.bytes and original.bytes
    kind = "packed" if best.packed else "weights"
    st.markdown(
        f"**Smallest file within one point** of the original's {plain(percent(original.accuracy))}: "
        f"{plain(best.name.removeprefix(begins))}, {plain(in_full(best.accuracy, best.images))}, "
        f"{best.bytes / 1000:,.1f} kB, {original.bytes / best.bytes:.1f} times smaller. It was picked by the "
        "images that judge it, so it may be a little too good."
    )
    st.page_link(
        "pages/2_Train.py", label=f"Take it away: {EXPORTS[kind].title}", icon=":material/download:",
        query_params={"run": best.id, "look": "Take away"},
    )  # fmt: skip


def _time(point: Cost) -> str:
    if point.time is None:
        return "–"
    if point.time_low is None or point.time_high is None or point.kind == "original":
        return percent(point.time)
    return f"{percent(point.time)} ({100 * point.time_low:.0f}–{100 * point.time_high:.0f})"


def live(members: Sequence[RunView]) -> None:
    """What is being made now, what could not be made last, and what could not be done in it."""
    newest = max(members, key=lambda view: view.created_at, default=None)
    for view in members:
        if not view.ended:
            progress = view.progress()
            st.progress(progress.share, plain(f"{title(view.spec)}: {view.state}"))
        elif view.state == "failed" and view is newest:
            st.error(plain(f"{title(view.spec)}: {view.reason}"), icon=":material/error:")
        elif view is newest:
            for why in rows_of(view.history, "why", Why):
                st.info(plain(f"{title(view.spec)}: {why.says}"), icon=":material/info:")


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
                    "layer": row.layer,
                    "of": row.what,
                    "kept": f"{row.kept:,} of {row.of:,}",
                    "share": percent(min(1.0, row.kept / max(1, row.of))),
                }
                for row in kept
            ],
            hide_index=True,
        )
    if alone := rows_of(history, "alone", Alone):
        st.markdown("**Which layer hurts most**: the accuracy with this one alone quantised")
        st.dataframe([{"layer": row.layer, **_figures(row)} for row in alone], hide_index=True)
    if compared := rows_of(history, "compared", Compared):
        st.markdown("**Beside it**")
        st.dataframe([{"network": _of(row, view), **_figures(row)} for row in compared], hide_index=True)
    if path := rows_of(history, "path", PathPoint):
        _path(path)
    if soft := rows_of(history, "soft labels", SoftLabel):
        _soft_labels(soft)
    first, *others = history.epochs or ({},)
    if others and first["epoch"] == 0:
        _then(first, others[-1], history.validation_images)


def _of(row: Compared, view: RunView) -> str:
    """E.g. ``network 1: My run``, where that run is still there."""
    sources = sources_of(view)
    if row.place is None or row.place >= len(sources) or (run := jobs().view(sources[row.place])) is None:
        return row.what
    return f"{row.what}: {title(run.spec)}"


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
    st.markdown("**Between the two**: accuracy and loss of their mean, at shares of the second")
    if drawn := merge_path.chart(rows):
        live_chart(json.dumps(drawn.figure), key="compress.path", height=PATH_HEIGHT, alt=drawn.alt)
    ways = list(dict.fromkeys(row.way for row in rows))
    by = {(row.way, row.at): in_full(row.accuracy, row.images) for row in rows}
    st.dataframe(
        [
            {"share": f"{at:.1f}", **{way: by.get((way, at), "–") for way in ways}}
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
                "label": row.label,
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
    return ", ".join(f"{name} {percent(share)}" for share, name in named)
