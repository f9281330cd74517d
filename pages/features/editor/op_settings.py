"""The dials of one operation. What they say goes into the visit's spec before the page runs again."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.augment import list_changes
from core.augment.catalogue import OPERATIONS
from core.augment.warp_groups import fused_places
from core.run.changes import op_id
from core.run.spec import OpSpec
from pages.features.editor import choice
from pages.features.editor.fields import fields, said
from pages.features.editor.marks import framed
from pages.features.frame.teacher import dial, dial_shown, locked


def op_settings(op: OpSpec, channels: int, view: str | None) -> None:
    """The probability and the operation's own parameters; in a locked page also on and off, if it was left.

    Args:
        channels: of the images that are shown.
        view: the key of the fragment that a dial re-runs instead of the whole page.
    """
    entry, place = OPERATIONS[op.op], op_id(op)
    change = partial(_dialled, op, channels, view)
    st.markdown(f"**{entry.title}**", help=f"{entry.help} {entry.fits} Source: {entry.source}.")
    if entry.colour_only and channels == 1:
        st.warning("It needs colour, and these images are grey: switch it off or remove it.")
    if locked() and dial_shown(dial(op, "enabled")):
        st.toggle("On", op.enabled, key=choice.key(place, "enabled"), on_change=change)
    if not entry.fixed_p and dial_shown(dial(op, "p")):
        with framed(f"augment.ops.{place}.p", "Probability"):
            st.slider(
                "Probability",
                0.0,
                1.0,
                entry.default_p if op.p is None else op.p,
                0.05,
                key=choice.key(place, "p"),
                help="How likely each image is to be changed.",
                on_change=change,
            )
    dials = [parameter for parameter in entry.parameters if dial_shown(dial(op, parameter.name))]
    fields(dials, op.params, place, path=f"augment.ops.{place}.params", on_change=change)
    if entry.can_lie:
        st.caption(f":material/warning: {entry.can_lie}")


def _dialled(op: OpSpec, channels: int, view: str | None) -> None:
    """Put what the widgets of one operation say into the visit's spec, and show it."""
    before = choice.current().augment
    i = [op_id(other) for other in before.ops].index(op_id(op))
    op, entry = before.ops[i], OPERATIONS[op.op]

    def now(name: str, value: Any) -> Any:
        return st.session_state.get(choice.key(op_id(op), name), value)

    params = said(entry.parameters, op.params, op_id(op))
    augment = list_changes.changed(
        before, i, enabled=now("enabled", op.enabled), p=now("p", op.p), params=params
    )
    choice.change_augment(augment)
    # Edges of another kind can end a fusing, or begin one, and the list says which are fused.
    was, now_fused = (fused_places(each, channels) for each in (before, augment))
    if view and was == now_fused:
        st.rerun(view)
