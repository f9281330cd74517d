"""The images beside a run's charts: the batch that it trains on, or the same few validation images."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.figures.strip import seen_strip
from core.jobs.views import RunView
from pages.components.gallery import batch_strip

IN_ROWS: dict[str, Any] = {"columns": 6, "rows": True}
BATCH, VALIDATION = "This batch", "Validation"


def watched_images(view: RunView) -> None:
    """Draw what a person has chosen to watch."""
    history = view.history
    strip = (history.started or {}).get("strip")
    if history.batch is None and history.ended:
        ways = [VALIDATION] if strip else []
    else:
        ways = [BATCH, VALIDATION] if strip else [BATCH]
    if len(ways) > 1:
        way = st.segmented_control(
            "Images", ways, default=BATCH, required=True, key="watched", label_visibility="collapsed"
        )
    else:
        way = ways[0] if ways else BATCH
        st.markdown("**Validation images**" if way == VALIDATION else f"**{BATCH}**")
    if way == VALIDATION:
        _validation(view)
    else:
        _batch(view)


def _batch(view: RunView) -> None:
    batch = view.history.batch
    if batch is None:
        ended = view.history.ended
        st.caption(
            "The images of the last batch are not kept." if ended else "The first images come in a moment."
        )
        return
    st.caption(f"The very images of step {batch['step']:,}, as the network saw them.")
    batch_strip(
        f"data:image/png;base64,{batch['images']}", batch["labels"], key="batch", alt="An image of class"
    )


def _validation(view: RunView) -> None:
    assert view.history.started is not None
    strip = seen_strip(view.history)
    images = f"data:image/png;base64,{view.history.started['strip']['images']}"
    if not strip.seen:
        st.caption("What the network makes of them is said after the first epoch.")
        batch_strip(images, strip.labels, key="strip", alt="A validation image, of class", **IN_ROWS)
        return
    right = sum(each.right for each in strip.seen)
    st.caption(
        f"After epoch {strip.epoch:d}: {right:d} of the same {len(strip.seen)} correct, and how sure it is.",
        help="The same validation images after each epoch, of all classes in turn. A mistake is dashed: what "
        "the image is → what the network names. The per cent are the softmax's, of the class it names. These "
        "are to look at, not to judge by: the accuracy above is of all validation images.",
    )
    batch_strip(
        images,
        [each.label if each.right else f"{each.label} → {each.answer}" for each in strip.seen],
        key="strip",
        alt="A validation image, of class",
        **IN_ROWS,
        details=[f"{each.confidence:.0%}" for each in strip.seen],
        wrong=[not each.right for each in strip.seen],
    )
