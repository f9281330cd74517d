"""Originals above results, with what was drawn beneath each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.augment import DrawnOp
from core.pictures import encode_images
from core.preview import Preview
from core.spec import RunSpec
from pages.widgets.gallery import Line, Tile, gallery
from pages.widgets.images import Images

_DRAW = "augury.draw"


def draw_button() -> int:
    """A button for other random numbers; returns which draw is shown, from 0."""
    step: int = st.session_state.get(_DRAW, 0)
    if st.button("New draw", icon=":material/casino:", help="The same settings, other random numbers."):
        step += 1
        st.session_state[_DRAW] = step
    return step


def what_it_took(spec: RunSpec, images: Images, shown: Preview, step: int) -> str:
    """One line: which draw, how many images and operations, the time, and the device."""
    count, side = len(images.tensor), images.tensor.shape[-1]
    num_ops = sum(op.enabled for op in spec.augment.ops)
    device = "GPU" if shown.device == "cuda" else "CPU"
    return (
        f"draw {step} · {count} images of {side}×{side} px · "
        f"{num_ops} {'operation' if num_ops == 1 else 'operations'} · {shown.seconds * 1e3:.0f} ms · {device}"
    )


def preview_grid(images: Images, shown: Preview) -> None:
    """One row of originals, small, and the results as a grid; the original shows on hover."""
    originals = images.encoded_originals()
    st.markdown("**Originals**")
    gallery(
        [
            Tile(src=source, alt=alt, caption=name)
            for source, alt, name in zip(originals, images.alts, images.names, strict=False)
        ],
        key="originals",
        variant="strip",
    )
    st.markdown("**Results**")
    gallery(
        [
            Tile(
                src=source,
                alt=_alt(alt, drawn),
                caption=name,
                lines=lines(drawn),
                before=originals[i % images.originals],
            )
            for i, (source, alt, name, drawn) in enumerate(
                zip(encode_images(shown.results), images.alts, images.names, shown.drawn, strict=True)
            )
        ],
        key="results",
    )


def lines(drawn: Sequence[DrawnOp]) -> tuple[Line, ...]:
    """What was drawn for one image, a line an operation: ``Rotation  angle −12.3°``."""
    return tuple(
        Line(op.title, ", ".join(f"{label} {value}" for label, value in op.values), op.fired) for op in drawn
    )


def _alt(alt: str, drawn: Sequence[DrawnOp]) -> str:
    fired = [op.title.lower() for op in drawn if op.fired]
    return f"{alt} After {', '.join(fired)}." if fired else f"{alt} Unchanged."
