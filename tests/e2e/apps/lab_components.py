"""The lab's small components on one page, for the browser tests and to look at.

Beneath them stands what Python was told: every act, the order it led to, and what was pasted. `?slow`
takes a second for each run, as a page does that has much to compute; `?main` leaves the sidebar out.
"""

from __future__ import annotations

import base64
import hashlib
import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image, ImageChops, ImageEnhance, ImageOps

from pages.components.compare import compare
from pages.components.order_list import Item, OrderEvent, order_list
from pages.components.paste import paste_images

st.set_page_config(page_title="Lab components", layout="wide")

BUNDLED = Path(__file__).parents[3] / "core/data/bundled"
FIRST = [
    Item("affine", "Affine", badges=("fused",)),
    Item("flip", "Horizontal flip", badges=("p 0.5", "fused")),
    Item("jiggle", "Colour jiggle", warning="needs colour"),
    Item("noise", "Gaussian noise", on=False, badges=("p 0.3",)),
]


def acted(event: OrderEvent) -> None:
    items: list[Item] = st.session_state.rows
    st.session_state.acts.append(f"{event.act} {event.index}")
    match event.act:
        case "move":
            items.insert(event.to, items.pop(event.index))
        case "toggle":
            items[event.index] = replace(items[event.index], on=event.on)
        case "duplicate":
            items.insert(event.index + 1, replace(items[event.index], id=f"copy-{event.number}"))
        case "remove":
            items.pop(event.index)
        case "select":
            st.session_state.selected = event.id


@st.cache_data
def pictures(kind: str, step: int) -> tuple[str, str]:
    """Before and after: a photograph or a digit, moved by ``step`` pixels and brightened."""
    if kind == "photo":
        image = Image.open(BUNDLED / "photos/chelsea.jpg").crop((110, 0, 410, 300))
    else:
        image = Image.fromarray(np.load(BUNDLED / "mnist5k.npz")["images"][1800])
    moved = ImageChops.offset(ImageOps.mirror(image), step, 0)
    return data_uri(image), data_uri(ImageEnhance.Brightness(moved).enhance(1.25))


def data_uri(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


state = st.session_state
state.setdefault("rows", list(FIRST))
state.setdefault("acts", [])
state.setdefault("selected", "affine")
state.setdefault("pasted", [])
state.setdefault("step", 0)
state.runs = state.get("runs", 0) + 1

with st.container() if "main" in st.query_params else st.sidebar:
    st.subheader("Operations", anchor=False)
    order_list(state.rows, key="operations", on_act=acted, selected=state.selected, limit=6)
if "slow" in st.query_params:
    time.sleep(1)

st.title("Lab components", anchor=False)
if st.button("New pictures"):
    state.step += 1
left, right = st.columns(2)
with left:
    compare(*pictures("photo", state.step), key="photo", alt="A cat")
with right:
    compare(*pictures("digit", state.step), key="digit", alt="A digit", labels=("plain", "moved"))
pasted = paste_images(key="paste")
if pasted:
    state.pasted.append([hashlib.sha256(image).hexdigest()[:12] for image in pasted.images])
st.text(f"Rows: {', '.join(item.id + ('' if item.on else ' (off)') for item in state.rows)}")
st.text(f"Acts: {', '.join(state.acts)}")
st.text(f"Selected: {state.selected}")
st.text(f"Pasted: {'; '.join(', '.join(digests) for digests in state.pasted)}")
st.text(f"Run {state.runs}")
