"""The pipeline as a short list: drag a row by its handle, switch it off, pick it, copy it, remove it.

What a person does shows at once. Streamlit keeps only the newest event of a component while a script is
busy, so the browser sends every act again until it has been answered, each with a number that grows;
here each number is let through once. So no act is lost and none is done twice, however slow the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import streamlit as st
from pydantic import Field, TypeAdapter, ValidationError

_ASSETS = Path(__file__).parent
_order_list = st.components.v2.component(
    "augury_order_list",
    html='<div class="order"><ul class="rows" role="list"></ul>'
    '<p id="how" hidden>Press the up or down arrow key to move it.</p>'
    '<p class="said" role="status"></p></div>',
    css=(_ASSETS / "order_list.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "order_list.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One row.

    Args:
        id: its own among the rows, and the same as long as it means the same thing.
        title: e.g. "Affine".
        on: how its switch stands.
        badges: a word or two each, e.g. "p 0.5" or "fused".
        warning: a badge that asks for attention, e.g. "needs colour".
    """

    id: str
    title: str
    on: bool = True
    badges: tuple[str, ...] = ()
    warning: str = ""


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One thing that a person did to a row.

    Args:
        act: "move" takes the row out and puts it in again at ``to``; "toggle" sets its switch to ``on``;
            "duplicate" puts a copy right behind it.
        id: the row's.
        index: the row's place, from 0, once every earlier act has been done.
        to: where a moved row goes, counted without it.
        on: how a switch stands now.
        number: grows from act to act.
    """

    act: Literal["move", "select", "toggle", "duplicate", "remove"]
    id: str
    index: Annotated[int, Field(ge=0)]
    number: int
    to: Annotated[int, Field(ge=0)] = 0
    on: bool = True


MOST_ACTS = 64  # that one message may bring: more than a person does while a page is busy
_EVENTS = TypeAdapter(Annotated[list[OrderEvent], Field(max_length=MOST_ACTS)])


def order_list(
    items: Sequence[Item],
    *,
    key: str,
    on_act: Callable[[OrderEvent], None],
    selected: str | None = None,
    label: str = "Operations",
    limit: int | None = None,
) -> None:
    """Shows the rows; later calls under the same key change them where they stand.

    Args:
        items: in order.
        key: the list's name on the page.
        on_act: called with each act, once and in order, before the script runs again.
        selected: the ``id`` of the row that is picked.
        label: what the rows are, for those who can't see them.
        limit: with this many rows none can be copied.
    """
    assert len({item.id for item in items}) == len(items)
    seen = f"{key}.seen"

    def acted() -> None:
        for event in _read(st.session_state[key]["acts"]):
            if event.number > st.session_state[seen]:
                st.session_state[seen] = event.number
                on_act(event)

    message = {
        "items": [asdict(item) for item in items],
        "selected": selected,
        "label": label,
        "limit": limit,
        "seen": st.session_state.setdefault(seen, 0),
    }
    # Bytes go through as they are; a dictionary would be dumped three times over.
    _order_list(key=key, data=json.dumps(message).encode(), on_acts_change=acted)


def _read(value: object) -> list[OrderEvent]:
    """What the browser says was done; nothing if it is not what our own script sends."""
    try:
        return _EVENTS.validate_python(value)
    except ValidationError:
        return []
