"""The list of operations as widgets: add, switch off, tune, move, remove and put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.augment import CATALOGUE
from core.errors import SpecError
from core.spec import MAX_OPS, AugmentSpec, OpSpec, RunSpec
from pages.widgets import choice
from pages.widgets.fields import fields, plain

_REMOVED, _ADD = "augury.removed", "augury.add"


def augment_editor(spec: RunSpec, channels: int) -> AugmentSpec:
    """Draw the operations of ``spec``; returns them as the widgets say.

    Args:
        channels: of the images; operations that need colour are not offered for one channel.
    """
    _add_box(spec, channels)
    ops = spec.augment.ops
    if not ops:
        st.caption("No operation yet: images are shown as they are. Add one above.")
    edited = tuple(_operation(op, i, len(ops), channels) for i, op in enumerate(ops))
    _undo_button()
    return spec.augment.model_copy(update={"ops": edited})


def as_set(spec: RunSpec) -> AugmentSpec:
    """What `augment_editor` will return, before it is drawn: the widgets' values are known when a re-run
    begins. So a page can send the new pictures first and the fifty widgets after."""

    def now(op: OpSpec, name: str, value: Any) -> Any:
        return st.session_state.get(choice.key(op.op, op.stream or 0, name), value)

    return spec.augment.model_copy(
        update={
            "ops": tuple(
                op.model_copy(
                    update={
                        "enabled": now(op, "enabled", op.enabled),
                        "p": now(op, "p", op.p if op.p is not None else CATALOGUE[op.op].default_p),
                        "params": plain(
                            {
                                parameter.name: now(
                                    op, parameter.name, op.params.get(parameter.name, parameter.default)
                                )
                                for parameter in CATALOGUE[op.op].parameters
                            }
                        ),
                    }
                )
                for op in spec.augment.ops
            )
        }
    )


def _add_box(spec: RunSpec, channels: int) -> None:
    offered = [name for name, entry in CATALOGUE.items() if channels == 3 or not entry.colour_only]
    st.selectbox(
        "Add an operation",
        offered,
        index=None,
        format_func=lambda name: CATALOGUE[name].title,
        placeholder="Search and add…",
        key=_ADD,
        on_change=_add,
        disabled=len(spec.augment.ops) >= MAX_OPS,
        help=None if channels == 3 else "Operations that change colours are left out: these images are grey.",
    )


def _operation(op: OpSpec, i: int, count: int, channels: int) -> OpSpec:
    entry, place = CATALOGUE[op.op], (op.op, op.stream or 0)
    with st.expander(entry.title, expanded=i < 3, key=choice.key(*place, "expander")):
        if entry.colour_only and channels == 1:
            st.warning("It needs colour, and these images are grey: switch it off or remove it.")
        enabled = st.toggle("On", op.enabled, key=choice.key(*place, "enabled"), help=entry.help)
        p = op.p if op.p is not None else entry.default_p
        if not entry.fixed_p:
            p = st.slider(
                "Probability",
                0.0,
                1.0,
                p,
                0.05,
                key=choice.key(*place, "p"),
                help="How likely each image is to be changed.",
            )
        params = fields(entry.parameters, op.params, *place)
        if entry.can_lie:
            st.caption(f":material/warning: {entry.can_lie}")
        _buttons(entry.title, i, count, place)
    return op.model_copy(update={"enabled": enabled, "p": p, "params": plain(params)})


def _buttons(name: str, i: int, count: int, place: tuple[str | int, ...]) -> None:
    with st.container(horizontal=True, gap=None, horizontal_alignment="right"):
        for icon, label, change, usable in (
            (":material/arrow_upward:", "Move up", _moved(i, i - 1), i > 0),
            (":material/arrow_downward:", "Move down", _moved(i, i + 1), i < count - 1),
            (":material/content_copy:", "Duplicate", _duplicated(i), count < MAX_OPS),
            (":material/delete:", "Remove", _removed(i), True),
        ):
            st.button(
                "",
                type="tertiary",
                icon=icon,
                help=f"{label} {name}",
                key=choice.key(*place, label),
                on_click=_change,
                args=(change,),
                disabled=not usable,
            )


def _undo_button() -> None:
    removed: tuple[int, OpSpec] | None = st.session_state.get(_REMOVED)
    if removed:
        title = CATALOGUE[removed[1].op].title
        st.button(f"Put {title.lower()} back", icon=":material/undo:", on_click=_put_back, width="stretch")


Ops = list[OpSpec]


def _change(change: Callable[[Ops], Ops]) -> None:
    """Apply ``change`` to this visit's operations; a stream that is missing is numbered by the spec."""
    spec = choice.current()
    augment = AugmentSpec(ops=tuple(change(list(spec.augment.ops))), choose=spec.augment.choose)
    choice.remember(spec.model_copy(update={"augment": augment}))


def _add() -> None:
    name = st.session_state[_ADD]
    st.session_state[_ADD] = None
    if name is not None:
        _change(lambda ops: [*ops, OpSpec(op=name)])


def _moved(start: int, end: int) -> Callable[[Ops], Ops]:
    def change(ops: Ops) -> Ops:
        ops.insert(end, ops.pop(start))
        return ops

    return change


def _duplicated(i: int) -> Callable[[Ops], Ops]:
    return lambda ops: [*ops[: i + 1], ops[i].model_copy(update={"stream": None}), *ops[i + 1 :]]


def _removed(i: int) -> Callable[[Ops], Ops]:
    def change(ops: Ops) -> Ops:
        st.session_state[_REMOVED] = (i, ops.pop(i))
        return ops

    return change


def _put_back() -> None:
    i, op = st.session_state.pop(_REMOVED)
    try:
        _change(lambda ops: [*ops[:i], op, *ops[i:]])
    except (SpecError, ValueError):  # one of its kind was added meanwhile and took its stream
        _change(lambda ops: [*ops[:i], op.model_copy(update={"stream": None}), *ops[i:]])
