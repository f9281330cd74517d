"""A filmstrip: one parameter of the selected operation, from its low to its high bound."""

from __future__ import annotations

import streamlit as st

from core.augment.catalogue import OPERATIONS
from pages.components.gallery import Tile, gallery
from pages.features.editor.augment_editor import selected
from pages.features.editor.fields import title
from pages.features.frame.asking import ask
from pages.features.lab.look import Look
from pages.features.lab.one_image import chosen_image

FRAMES = 8


def sweep_tab(look: Look) -> None:
    """Choose a parameter; see one image at values spaced over its bounds, every random number held."""
    if not look.augment.ops:
        st.info("Add an operation: then its parameters can be swept.", icon=":material/add:")
        return
    place = selected(look.augment)
    op = look.augment.ops[place]
    entry = OPERATIONS[op.op]
    if not entry.parameters:
        st.info(f"{entry.title} has no parameter to sweep. Select another operation.", icon=":material/tune:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        i = chosen_image(look)
        name = st.selectbox(
            f"Parameter of {entry.title.lower()}",
            [parameter.name for parameter in entry.parameters],
            format_func=lambda name: title(next(p for p in entry.parameters if p.name == name)),
            key=f"sweep.{op.op}",
            width=260,
        )
        whole = st.toggle("With the other operations", key="sweep.whole")
    swept = ask("sweep", op=place, parameter=name, image=i, frames=FRAMES, whole=whole, **look.question)
    st.caption(
        "Every frame draws the same random numbers, so the parameter alone changes. Where it is a range, "
        "both ends are set to the value."
    )
    alt = f"{look.images.alts[i]} {entry.title} with {name.replace('_', ' ')}"
    gallery(
        [
            Tile(src=source, alt=f"{alt} {label}.", caption=label)
            for label, source in zip(swept["labels"], swept["pictures"], strict=True)
        ],
        key="sweep",
        columns=FRAMES,
    )
