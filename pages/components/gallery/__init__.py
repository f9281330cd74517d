"""Pictures in a grid or a strip, swapped in place: no flash, no jump, and hover stays where it was.

`st.image` in columns costs an element and a request a picture, and a changed picture blinks. Here one
component under a fixed key holds them all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

_ASSETS = Path(__file__).parent
_gallery = st.components.v2.component(
    "augury_gallery",
    html='<div class="frame"><div class="tiles"></div></div>',
    css=(_ASSETS / "gallery.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "gallery.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line beneath a picture, e.g. an operation and the parameters it drew for it.

    Args:
        name: what acted, e.g. "Affine".
        value: what it drew, e.g. "−7.4° ×1.08"; set in tabular figures.
        fired: false for an operation that this picture was spared; the line is then dimmed.
    """

    name: str
    value: str = ""
    fired: bool = True


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture and what is said of it.

    Args:
        src: a data URI, as `core.pictures.encode_images` makes.
        alt: what the picture shows, for those who can't see it.
        caption: a short title beneath, e.g. the label.
        lines: details beneath the caption.
        before: the original's data URI, shown while the picture is hovered, focused or pressed.
    """

    src: str
    alt: str
    caption: str = ""
    lines: tuple[Line, ...] = ()
    before: str | None = None


def gallery(
    tiles: Sequence[Tile], *, key: str, variant: Literal["grid", "strip", "thumbs"] = "grid", columns: int = 8
) -> None:
    """Shows the tiles; later calls under the same key swap the pictures where they stand.

    Pictures below 96 pixels are enlarged without smoothing, so that each pixel can be seen.

    Args:
        tiles: in reading order; their number may change.
        key: the gallery's name on the page.
        variant: "strip" is one row of small pictures that scrolls sideways where it does not fit;
            "thumbs" are eight of at most 64 pixels, in one row or in two.
        columns: how many stand side by side where there is room. A grid has half as many on a medium
            width and a quarter (at least 2) on a telephone, so 8 tiles a row never leave a ragged end.
    """
    # Sixteen results of four photographs have four originals: each is sent once.
    originals = list(dict.fromkeys(tile.before for tile in tiles if tile.before))
    place = {original: i for i, original in enumerate(originals)}
    shown = [asdict(tile) | {"before": place.get(tile.before or "")} for tile in tiles]
    _mount({"tiles": shown, "originals": originals, "variant": variant, "columns": columns}, key)


def batch_strip(
    sprite: str,
    captions: Sequence[str],
    *,
    key: str,
    alt: str,
    columns: int = 8,
    rows: bool = False,
    details: Sequence[str] = (),
    wrong: Sequence[bool] = (),
) -> None:
    """A strip cut, in the browser, from one picture that holds square images side by side.

    Args:
        sprite: a data URI; an image of ``len(captions) * side`` by ``side`` pixels.
        captions: one an image, e.g. its label.
        key: the strip's name on the page.
        alt: what the pictures are; each one's caption is added.
        columns: how many stand side by side where there is room.
        rows: whether those that find no room stand beneath, and not beyond the edge.
        details: a line an image beneath its caption; none if empty.
        wrong: whether each image is marked as one that was mistaken; none is marked if empty.
    """
    shown = [
        {
            "alt": f"{alt}: {caption}",
            "caption": caption,
            "lines": [asdict(Line("", details[i]))] if details else [],
            "mark": ("wrong" if wrong[i] else "right") if wrong else "",
        }
        for i, caption in enumerate(captions)
    ]
    variant = "strip rows" if rows else "strip"
    _mount({"tiles": shown, "originals": [], "variant": variant, "columns": columns, "sprite": sprite}, key)


def _mount(message: dict[str, object], key: str) -> None:
    # Bytes go through as they are; a dictionary would be dumped three times over.
    _gallery(key=key, data=json.dumps(message).encode())
