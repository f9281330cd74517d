"""What was found in a person's own images: how many of each class, a few of them, what is odd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.catalogue import DATASETS
from core.run.spec import DataSpec
from core.text.escape import plain
from pages.components.gallery import Tile, gallery
from pages.features.frame.asking import ask


def own_set(spec: DataSpec) -> None:
    """Draw it; nothing of a bundled set.

    Raises:
        SpecError: the images can't be read, or not be split.
    """
    if not DATASETS[spec.name].own:
        return
    found = ask("account", data=spec)
    st.subheader("Your images", anchor=False)
    st.markdown(_in_words(found))
    classes, shown = found["classes"], found["pictures"]
    tiles = [
        Tile(src=source, alt=f"An image of class {name}.", caption=name)
        for name, sources in shown.items()
        for source in sources
    ]
    gallery(tiles, key="own_set", columns=12)
    if len(classes) > len(shown):
        st.caption(f"Of {len(classes)} classes the first {len(shown)} are shown.")
    if found["notes"]:
        st.markdown("\n".join(f"- {plain(note)}" for note in found["notes"]))


def _in_words(found: Mapping[str, Any]) -> str:
    """E.g. ``3 classes: apple 30, leaf 30, mug 30; 72 to train, 18 to validate; 64 px, in colour.``"""
    named = [f"{plain(name)} {count:,}" for name, count in list(found["classes"].items())[:12]]
    more = len(found["classes"]) - len(named)
    classes = ", ".join(named) + (f" and {more} more" if more else "")
    colour = "in colour" if found["channels"] == 3 else "grey"
    return (
        f"**{len(found['classes'])} classes**: {classes}; {found['train']:,} to train, "
        f"{found['validation']:,} to validate; {found['side']} px, {colour}."
    )
