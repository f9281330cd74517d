"""A button that takes images from the clipboard, where the browser lets it."""

from __future__ import annotations

import binascii
import json
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

MAX_IMAGES = 16
SMALL_BYTES = 128 << 10  # an image of more is scaled in the browser, its short side to …
SMALL_SIDE = 448  # … so many pixels: twice what previews show
MAX_BYTES = 512 << 10  # of one image, as it is sent
# Of all images of one paste: 3.3 MB as base64, and `pages.features.frame.bounds` lets 4 by.
MAX_TOTAL = 5 << 19

_ASSETS = Path(__file__).parent
_paste = st.components.v2.component(
    "augury_paste",
    html='<div class="paste"><button type="button"></button><p class="said" role="status"></p></div>',
    css=(_ASSETS / "paste.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "paste.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Pasted:
    """What one paste brought.

    Args:
        images: each image's file, as it was in the clipboard or scaled: anything may be in it.
        refused: a sentence for each that can't be taken.
    """

    images: tuple[bytes, ...]
    refused: tuple[str, ...] = ()


def paste_images(*, key: str, label: str = "Paste an image") -> Pasted | None:
    """Shows the button; returns what was pasted, once, in the run that it started.

    The browser sends PNG, JPEG, WebP and BMP, and says itself what it left out and why.
    """
    waiting = f"{key}.waiting"

    def pasted() -> None:
        st.session_state[waiting] = read(st.session_state[key]["images"])

    limits = {
        "count": MAX_IMAGES, "small": SMALL_BYTES, "side": SMALL_SIDE, "bytes": MAX_BYTES, "total": MAX_TOTAL
    }  # fmt: skip
    message = json.dumps({"label": label, "limits": limits}).encode()
    _paste(key=key, data=message, on_images_change=pasted)
    # A run may be overtaken before it comes here; then the next one finds the images.
    return st.session_state.pop(waiting, None)


def read(value: object) -> Pasted:
    """The images in a message of the browser: a list of base64 texts, bounded as the button is."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        return Pasted((), ("What was pasted did not arrive whole; paste it again.",))
    images: list[bytes] = []
    refused: list[str] = []
    for number, text in enumerate(value[:MAX_IMAGES], 1):
        try:
            image = binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            refused.append(f"Pasted image {number} did not arrive whole; paste it again.")
            continue
        if len(image) > MAX_BYTES:
            refused.append(f"Pasted image {number} is larger than {MAX_BYTES >> 10} kB.")
        elif sum(map(len, images)) + len(image) > MAX_TOTAL:
            refused.append(f"Pasted image {number} no longer fits; paste it by itself.")
        else:
            images.append(image)
    if len(value) > MAX_IMAGES:
        refused.append(f"Only the first {MAX_IMAGES} pasted images were taken.")
    return Pasted(tuple(images), tuple(refused))
