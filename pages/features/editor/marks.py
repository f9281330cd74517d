"""What Train's form says at its fields: that one differs from the preset, with an undo, or why it is refused.

Every field stands in a `framed` place. Outside of `marking`, as on Augment, a frame does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalogues import filled
from core.run.changes import changed, place_of_error, settings
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.text.differs import value_in_words
from core.text.escape import plain
from core.text.refusals import in_words
from pages.features.editor import choice
from pages.features.frame.teacher import locked


@dataclass(frozen=True)
class Marks:
    """Args:
    spec: what is chosen.
    base: the preset that it is compared with, as a path's value.
    changed: the paths of the fields that differ.
    slots: of each field that is drawn, by its path, where a refusal is said.
    """

    spec: RunSpec
    base: Mapping[str, Any]
    changed: tuple[str, ...]
    slots: dict[str, DeltaGenerator] = field(default_factory=dict)

    def count(self, part: str) -> int:
        """How many fields of a part of the spec differ."""
        return sum(path.split(".")[0] == part for path in self.changed)

    def refuse(self, error: SpecError, acted: bool) -> None:
        """Say a refusal at its field, or at its part where the field is not drawn; nothing where the part is
        not."""
        path = place_of_error(error.where, self.spec)
        if path in self.slots:
            said = error.what[:1].upper() + error.what[1:]
        else:
            path, said = path.split(".")[0], in_words(error)
        if path in self.slots:
            with self.slots[path].container(key=f"refused.{path}"):
                say(said, acted)


def say(refusal: str, acted: bool, place: DeltaGenerator | None = None) -> None:
    """An error once a person has ``acted``, before that a hint: he did nothing wrong."""
    where = place or st
    if acted:
        where.error(plain(refusal), icon=":material/error:")
    else:
        where.info(plain(refusal), icon=":material/info:")


_NOW: ContextVar[Marks | None] = ContextVar("marks", default=None)


@contextmanager
def marking(spec: RunSpec, base: RunSpec) -> Iterator[Marks]:
    """The fields drawn inside say how ``spec`` differs from ``base``."""
    base = filled(base)
    marks = Marks(spec, settings(base), tuple(changed(filled(spec), base)))
    token = _NOW.set(marks)
    try:
        yield marks
    finally:
        _NOW.reset(token)


@contextmanager
def framed(path: str, label: str, words: Callable[[Any], str] = value_in_words) -> Iterator[None]:
    """Draw a field inside.

    Args:
        path: of its value, see `core.run.changes`.
        label: the field's, for whom can't see it.
        words: what a value of it is called.
    """
    marks = _NOW.get()
    if marks is None:
        yield
        return
    with st.container(key=f"field.{path}", gap=None):
        yield
        if path in marks.changed:
            _undo(path, f"Put {_in_a_sentence(label)} back to {words(marks.base[path])}")
        marks.slots[path] = st.empty()


def _undo(path: str, what: str) -> None:
    st.button(
        plain(what),
        icon=":material/undo:",
        type="tertiary",
        key=choice.key("undo", path),
        help=plain(what),
        on_click=choice.undo,
        args=(path,),
    )


def _in_a_sentence(label: str) -> str:
    """``Learning rate`` is ``learning rate`` there, and ``L1 ratio`` stays."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


@contextmanager
def part(name: str, title: str, path: str, icon: str, expanded: bool = False) -> Iterator[None]:
    """Draw a part of the form inside: folded, its label says how many of its fields differ.

    Args:
        path: of the part in the spec.
    """
    marks = _NOW.get()
    count = marks.count(path) if marks else 0
    opened = path in choice.to_open()
    with st.expander(
        f"{plain(title)} :primary[● {count:d} changed]" if count else plain(title),
        icon=icon,
        expanded=expanded or opened,
        key=f"part.{name}{'.opened' if opened else ''}",
    ):
        if marks is not None:
            marks.slots[path] = st.empty()
        yield


def undo_all(marks: Marks, name: str) -> None:
    """How much differs from the preset called ``name``, and one press that puts all of it back."""
    with st.container(key="undo_all", horizontal=True, vertical_alignment="center", gap="small"):
        if not marks.changed and not choice.can_take_back():
            st.caption("No changes", width="stretch")  # its room is there before the first one
        if marks.changed:
            count = len(marks.changed)
            differs = f"{count} {'change' if count == 1 else 'changes'}"
            st.caption(f":primary[●] {differs}", width="stretch")
            if not locked():
                st.button(
                    "Undo all",
                    icon=":material/undo:",
                    type="tertiary",
                    key="undo_all_changes",
                    help=plain(f"Put everything back to {name}; your images stay."),
                    on_click=choice.undo_all,
                )
        if choice.can_take_back():
            st.button(
                "Back to what I had",
                icon=":material/history:",
                type="tertiary",
                key="take_back",
                on_click=choice.take_back,
            )
