"""What was made, as tables: every network of the family, and what changed in each layer of the one shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.figures.compress import Cost
from core.jobs.views import RunView
from core.text.describe import title
from core.text.escape import plain
from core.text.shares import in_full, percent
from pages.features.compress.family import own_costs


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
    tables: dict[str, list[Mapping[str, Any]]] = {}
    for row in view.history.rows:
        tables.setdefault(str(row.get("table")), []).append(row)
    for row in tables.get("why", []):
        st.info(plain(str(row["says"])), icon=":material/info:")
    if kept := tables.get("layers"):
        st.markdown("**What is kept of each layer**")
        st.dataframe(
            [
                {
                    "layer": plain(str(row["layer"])),
                    "of": plain(str(row["what"])),
                    "kept": f"{row['kept']:,} of {row['of']:,}",
                    "share": percent(row["kept"] / max(1, row["of"])),
                }
                for row in kept
            ],
            hide_index=True,
        )
    if alone := tables.get("alone"):
        st.markdown("**Which layer hurts most**: the accuracy with this one alone quantised")
        _judged(alone, "layer")
    if compared := tables.get("compared"):
        st.markdown("**Beside it**")
        _judged(compared, "what")
    if path := tables.get("path"):
        _path(path)
    if view.history.epochs and view.history.epochs[0]["epoch"] == 0 and own_costs(view):
        first, last = view.history.epochs[0], view.history.epochs[-1]
        if last is not first:
            images = view.history.validation_images
            st.caption(
                f"At once {plain(in_full(first['validation_accuracy'], images))}; after {last['epoch']} more "
                f"epochs {plain(in_full(last['validation_accuracy'], images))}."
            )


def _judged(rows: Sequence[Mapping[str, Any]], name: str) -> None:
    known = [row for row in rows if "accuracy" in row]
    st.dataframe(
        [
            {
                name: plain(str(row[name])),
                "accuracy": in_full(row["accuracy"], row["images"]),
                "loss": f"{row['loss']:.3f}",
                **(
                    {"calibration error": f"{row['calibration_error']:.3f}"}
                    if "calibration_error" in row
                    else {}
                ),
            }
            for row in known
        ],
        hide_index=True,
    )


def _path(rows: Sequence[Mapping[str, Any]]) -> None:
    """From one network to the other."""
    st.markdown("**Between the two**: the accuracy of their mean, at shares of the second")
    ways = list(dict.fromkeys(str(row["way"]) for row in rows))
    by = {(row["way"], row["at"]): row for row in rows}
    st.dataframe(
        [
            {
                "share": f"{at:.1f}",
                **{way: in_full(by[way, at]["accuracy"], by[way, at]["images"]) for way in ways},
            }
            for at in sorted({row["at"] for row in rows})
        ],
        hide_index=True,
    )
    if any(row.get("norms_renewed") for row in rows):
        st.caption("Statistics of batch norm were taken anew for every mean, on training images.")
