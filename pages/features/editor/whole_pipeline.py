"""What holds for all operations together: their strength, how many run, fusing, and mixing."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.augment.ops.mixes import MIXES
from core.run.spec import AugmentSpec, MixSpec
from pages.features.editor import choice
from pages.features.editor.fields import fields, said
from pages.features.editor.marks import framed
from pages.features.frame.teacher import dial_shown, shown

_ALL = "all"


def strength_dial(augment: AugmentSpec, view: str | None) -> None:
    """One dial for every range at once."""
    if dial_shown("strength"):
        with framed("augment.strength", "Strength"):
            st.slider(
                "Strength (×)",
                0.0,
                2.0,
                augment.strength,
                0.05,
                key=choice.key("pipeline", "strength"),
                help="Scales every range around the value that changes nothing: at 0 all are there, 1 is as "
                "set. Probabilities stay, and so does what has no such value: a flip flips at 0 as well.",
                on_change=partial(_set, "strength", view),
            )


def whole_pipeline(augment: AugmentSpec, view: str | None) -> None:
    """How many operations run, whether geometry is fused, and what mixes images."""
    if not shown("pipeline"):
        return
    with st.expander("Whole pipeline", icon=":material/account_tree:", key="pipeline.expander"):
        enabled = sum(op.enabled for op in augment.ops)
        with framed("augment.choose", "Operations each batch", lambda k: f"{k} of {enabled}" if k else "all"):
            st.selectbox(
                "Operations each batch",
                [_ALL, *range(1, max(enabled, 1))],
                0 if augment.choose is None or augment.choose >= enabled else augment.choose,
                format_func=lambda k: f"all {enabled}" if k == _ALL else f"{k} of {enabled}, at random",
                key=choice.key("pipeline", "choose", enabled),
                help="A batch goes through all that are switched on, or through this many of them, drawn "
                "anew.",
                on_change=partial(_set_choose, enabled, view),
            )
        with framed("augment.fuse", "Fuse geometry"):
            st.toggle(
                "Fuse geometry",
                augment.fuse,
                key=choice.key("pipeline", "fuse"),
                help="Consecutive geometric operations become one warp: faster, and sharper, because pixels "
                "are interpolated once.",
                on_change=partial(_set, "fuse", None),  # the whole page: the list says which are fused
            )
        _mix(augment, view)


def _mix(augment: AugmentSpec, view: str | None) -> None:
    chosen = augment.mix.op if augment.mix else None
    offered = [name for name, entry in MIXES.items() if not entry.needs_masks]
    with framed("augment.mix", "Mix images", lambda name: MIXES[name].title if name else "no mix"):
        st.selectbox(
            "Mix images",
            offered,
            None if chosen is None else offered.index(chosen),
            format_func=lambda name: MIXES[name].title,
            placeholder="Don't mix",
            key=choice.key("pipeline", "mix"),
            help="Makes one image of several at the end, and mixes their labels by the same shares.",
            on_change=partial(_set_mix, view),
        )
    if augment.mix:
        entry = MIXES[augment.mix.op]
        st.caption(entry.help)
        change = partial(_set_mix, view)
        with framed("augment.mix.p", "Probability"):
            st.slider(
                "Probability",
                0.0,
                1.0,
                entry.default_p if augment.mix.p is None else augment.mix.p,
                0.05,
                key=choice.key("mix", entry.name, "p"),
                on_change=change,
            )
        fields(
            entry.parameters,
            augment.mix.params,
            "mix",
            entry.name,
            path="augment.mix.params",
            on_change=change,
        )


def _remember(view: str | None, **update: Any) -> None:
    choice.change_augment(choice.current().augment.model_copy(update=update))
    if view:
        st.rerun(view)


def _set(name: str, view: str | None) -> None:
    _remember(view, **{name: st.session_state[choice.key("pipeline", name)]})


def _set_choose(enabled: int, view: str | None) -> None:
    chosen = st.session_state[choice.key("pipeline", "choose", enabled)]
    _remember(view, choose=None if chosen == _ALL else chosen)


def _set_mix(view: str | None) -> None:
    name = st.session_state[choice.key("pipeline", "mix")]
    before = choice.current().augment.mix
    if name is None or before is None or before.op != name:  # other dials: the whole page
        return _remember(None, mix=None if name is None else MixSpec(op=name))
    entry = MIXES[name]
    p = st.session_state.get(choice.key("mix", name, "p"), before.p)
    params = said(entry.parameters, before.params, "mix", name)
    _remember(view, mix=MixSpec(op=name, p=p, params=params))
