"""Originals above results, with what was drawn beneath each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.gallery import Line, Tile, gallery
from pages.features.images.images import Images
from pages.features.lab.look import DrawnOp, Look


def what_it_took(look: Look) -> str:
    """One line: which draw, how many images and operations, the time, and the device."""
    count, side = len(look.images.names), look.images.side
    num_ops = sum(op.enabled for op in look.augment.ops)
    operations = f"{num_ops} {'operation' if num_ops == 1 else 'operations'}"
    device = "GPU" if look.shown.device == "cuda" else "CPU"
    took = f"{look.shown.seconds * 1e3:.0f} ms · {device}"
    return f"draw {look.step} · {count} images of {side}×{side} px · {operations} · {took}"


def originals(images: Images) -> None:
    """One row, small."""
    tiles = [
        Tile(src=source, alt=alt, caption=name)
        for source, alt, name in zip(images.pictures, images.alts, images.names, strict=False)
    ]
    with st.container(key="lab_originals"):
        st.markdown("**Originals**")
        gallery(tiles, key="originals", variant="strip")


def results(look: Look) -> None:
    """The results as a grid; each one's original shows on hover."""
    images, shown = look.images, look.shown
    with st.container(key="results_head", horizontal=True, horizontal_alignment="distribute"):
        st.markdown("**Results**", width="content")
        st.caption(what_it_took(look), width="content")
    gallery(
        [
            Tile(
                src=source,
                alt=_alt(alt, drawn),
                caption=caption,
                lines=lines(drawn),
                before=images.picture(i),
            )
            for i, (source, alt, caption, drawn) in enumerate(
                zip(shown.pictures, images.alts, shown.captions, shown.drawn, strict=True)
            )
        ],
        key="results",
    )


def lines(drawn: Sequence[DrawnOp]) -> tuple[Line, ...]:
    """What was drawn for one image, a line an operation: ``Rotation  angle −12.3°``."""
    return tuple(
        Line(op["title"], ", ".join(f"{label} {value}" for label, value in op["values"]), op["fired"])
        for op in drawn
    )


def _alt(alt: str, drawn: Sequence[DrawnOp]) -> str:
    fired = [op["title"].lower() for op in drawn if op["fired"]]
    return f"{alt} After {', '.join(fired)}." if fired else f"{alt} Unchanged."
