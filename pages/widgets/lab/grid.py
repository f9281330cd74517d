"""Originals above results, with what was drawn beneath each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.augment import DrawnOp
from core.pictures import encode_images
from core.spec import RunSpec
from pages.widgets import choice
from pages.widgets.gallery import Line, Tile, gallery
from pages.widgets.lab.look import Look
from pages.widgets.teacher import dial_shown, locked, shown

MOST_DRAWS = 9_999


def seed_and_draw(spec: RunSpec) -> tuple[RunSpec, int]:
    """A field for the seed and a button for other random numbers; the spec, and which draw is shown."""
    text = st.query_params.get("draw", "0")
    step = min(int(text), MOST_DRAWS) if text.isascii() and text.isdecimal() else 0
    if shown("seed"):
        seed = st.number_input("Seed", 0, 2**31 - 1, spec.seed, key=choice.key("augment", "seed"), width=160)
        spec = spec.model_copy(update={"seed": seed})
    if shown("seed") or (locked() and dial_shown("draw")):
        st.button(
            "New draw",
            icon=":material/casino:",
            help="The same settings, other random numbers.",
            on_click=_draw,
            args=(step + 1,),
        )
    return spec, step


def _draw(step: int) -> None:
    st.query_params["draw"] = str(step % (MOST_DRAWS + 1))


def what_it_took(look: Look) -> str:
    """One line: which draw, how many images and operations, the time, and the device."""
    count, side = len(look.images.tensor), look.images.tensor.shape[-1]
    num_ops = sum(op.enabled for op in look.augment.ops)
    operations = f"{num_ops} {'operation' if num_ops == 1 else 'operations'}"
    device = "GPU" if look.shown.device == "cuda" else "CPU"
    took = f"{look.shown.seconds * 1e3:.0f} ms · {device}"
    return f"draw {look.step} · {count} images of {side}×{side} px · {operations} · {took}"


def preview_grid(look: Look) -> None:
    """One row of originals, small, and the results as a grid; the original shows on hover."""
    images, shown = look.images, look.shown
    originals = images.encoded_originals
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
    captions = [mixed.in_words(images.names) for mixed in shown.mixed] or images.names
    gallery(
        [
            Tile(
                src=source,
                alt=_alt(alt, drawn),
                caption=caption,
                lines=lines(drawn),
                before=originals[i % images.originals],
            )
            for i, (source, alt, caption, drawn) in enumerate(
                zip(encode_images(shown.results), images.alts, captions, shown.drawn, strict=True)
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
