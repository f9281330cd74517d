"""The pipeline as a person edits it: operations to add, their list, and the settings of the one selected.

Every act goes into the visit's spec before the page runs again (`pages.features.editor.choice`), so pages
read the spec and nothing else. A dial re-runs only the fragment that shows the pictures: the widgets stay
where they are and are not sent again, which halves what a person waits for a picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.augment import list_changes
from core.augment.catalogue import OPERATIONS
from core.augment.entry import OpEntry
from core.augment.exclusions import EXCLUSIONS
from core.augment.warp_groups import fused_places
from core.run.changes import op_id
from core.run.spec import MAX_OPS, AugmentSpec
from pages.components.order_list import Item, OrderEvent, order_list
from pages.features.editor import choice
from pages.features.editor import undo as history
from pages.features.editor.marks import framed
from pages.features.editor.op_settings import op_settings
from pages.features.editor.whole_pipeline import strength_dial, whole_pipeline
from pages.features.frame.teacher import dial, dial_shown, locked, shown

_ADD, _SELECTED = "augury.add", "augury.selected"
GROUPS = {"geometric": "geometry", "intensity": "values and colours", "policy": "automatic policies"}


def augment_editor(augment: AugmentSpec, *, channels: int, view: str | None = None) -> None:
    """Draw the operations and their dials; what a person does is in the visit's spec at the next run.

    Args:
        channels: of the images; operations that need colour are not offered for one channel.
        view: the key of the fragment that a dial re-runs instead of the whole page.
    """
    with framed("augment.ops", "Operations", _listed):
        if shown("add"):
            _add_box(augment, channels)
    if not augment.ops:
        st.caption("No operation yet: images are shown as they are. Add one above.")
    elif locked():
        _chosen_dials(augment, channels, view)
    else:
        i = _list(augment, channels) if shown("list") else 0
        if shown("settings"):
            with st.container(border=True):
                op_settings(augment.ops[i], channels, view)
    if not locked():
        history.undo_button()
    strength_dial(augment, view)
    whole_pipeline(augment, view)


def _add_box(augment: AugmentSpec, channels: int) -> None:
    offered = [name for name, entry in OPERATIONS.items() if channels == 3 or not entry.colour_only]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Add an operation",
            offered,
            index=None,
            format_func=lambda name: f"{OPERATIONS[name].title} · {GROUPS[OPERATIONS[name].group]}",
            placeholder=f"Search {len(offered)} operations…",
            key=_ADD,
            on_change=lambda: _add(st.session_state[_ADD]),
            disabled=len(augment.ops) >= MAX_OPS,
            help=None if channels == 3 else "Those that change colours are left out: these images are grey.",
        )
        with st.popover("", icon=":material/category:", help="Browse operations by group"):
            _browse(offered)


def _browse(offered: list[str]) -> None:
    """All operations by group, each with its sentence; and those of Kornia that are not here, and why."""
    groups = list(dict.fromkeys(OPERATIONS[name].group for name in offered))
    for tab, group in zip(st.tabs([GROUPS[group].capitalize() for group in groups]), groups, strict=True):
        with tab, st.container(height=420, border=False):
            for name in offered:
                entry = OPERATIONS[name]
                if entry.group == group:
                    _offer(entry)
    with st.expander("Not here, and why"):
        for name, reason in EXCLUSIONS.items():
            st.markdown(f"**{name}** {reason}")


def _offer(entry: OpEntry) -> None:
    st.button(
        entry.title,
        icon=":material/add:",
        type="tertiary",
        key=f"browse.{entry.name}",
        on_click=_add,
        args=(entry.name,),
    )
    st.caption(entry.help)


def _list(augment: AugmentSpec, channels: int) -> int:
    """The operations in order; returns the place of the one whose settings are shown."""
    fused = {i for group in fused_places(augment, channels) for i in group}
    order_list(
        [
            Item(
                id=op_id(op),
                title=OPERATIONS[op.op].title,
                on=op.enabled,
                badges=("fused",) if i in fused else (),
                warning="needs colour" if OPERATIONS[op.op].colour_only and channels == 1 else "",
            )
            for i, op in enumerate(augment.ops)
        ],
        key="operations",
        on_act=act,
        selected=op_id(augment.ops[selected(augment)]),
        label="Operations, in the order they run",
        limit=MAX_OPS,
    )
    return selected(augment)


def act(event: OrderEvent) -> None:
    """Do to the visit's pipeline what a person did to its list."""
    augment = choice.current().augment
    ids = [op_id(op) for op in augment.ops]
    if event.id not in ids:  # it went in another tab of this visit, or by undo
        return
    i = ids.index(event.id)
    title = OPERATIONS[augment.ops[i].op].title.lower()
    match event.act:
        case "select":
            st.session_state[_SELECTED] = event.id
        case "toggle":
            choice.change_augment(list_changes.changed(augment, i, enabled=event.on))
        case "move":
            history.apply(list_changes.moved(augment, i, min(event.to, len(ids) - 1)), f"move {title}")
        case "duplicate" if len(ids) < MAX_OPS:
            augment = list_changes.duplicated(augment, i)
            history.apply(augment, f"duplicate {title}")
            st.session_state[_SELECTED] = op_id(augment.ops[i + 1])
        case "remove":
            history.apply(list_changes.removed(augment, i), f"remove {title}")


def selected(augment: AugmentSpec) -> int:
    """The place in the list of the operation whose settings are shown: the first, until one is chosen."""
    ids = [op_id(op) for op in augment.ops]
    chosen = st.session_state.get(_SELECTED)
    return ids.index(chosen) if chosen in ids else 0


def _chosen_dials(augment: AugmentSpec, channels: int, view: str | None) -> None:
    """In a locked page: the dials the teacher left, operation by operation."""
    for op in augment.ops:
        names = ["enabled", "p", *(parameter.name for parameter in OPERATIONS[op.op].parameters)]
        if any(dial_shown(dial(op, name)) for name in names):
            with st.container(border=True):
                op_settings(op, channels, view)


def _listed(ids: Sequence[str]) -> str:
    names = [OPERATIONS[each.rpartition("-")[0]].title.lower() for each in ids]
    return " + ".join(names) or "none"


def _add(name: str | None) -> None:
    st.session_state[_ADD] = None
    if name is not None:
        augment = list_changes.added(choice.current().augment, name)
        history.apply(augment, f"add {OPERATIONS[name].title.lower()}")
        st.session_state[_SELECTED] = op_id(augment.ops[-1])
