"""The regularisers as a person edits them: some to add, and the dials of each.

As with the pipeline, every act goes into the visit's spec before the page runs again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import streamlit as st

from core.figures.training import schedule
from core.models.dropout import DROPOUTS
from core.regularise.catalogue import REGULARISERS, SOLVERS, RegulariserEntry
from core.run.spec import RegulariserSpec
from core.text.advice import in_time
from pages.components.live_chart import live_chart
from pages.features.editor import choice
from pages.features.editor.fields import fields, log_dial, said
from pages.features.editor.marks import framed

_ADD = "augury.add_regulariser"
Shape = Literal["constant", "linear", "cubic", "step"]
RISES = (1.0, 2.0, 3.0, 5.0, 10.0)  # what a learning rate may be multiplied by
SHAPES: dict[Shape, str] = {
    "constant": "is at full strength from the first step",
    "linear": "rises from 0",
    "cubic": "rises from 0, steeply at first and slowly at last",
    "step": "is 0, then at full strength at once",
}


def regulariser_editor(specs: tuple[RegulariserSpec, ...], epochs: int) -> None:
    """Draw the regularisers of the visit's spec, one of each kind at most.

    Args:
        epochs: of the run, over which a strength may rise.
    """
    with framed("regularisers", "Regularisers", _listed):
        chosen = {spec.kind for spec in specs}
        _add_box([kind for kind in REGULARISERS if kind not in chosen and not REGULARISERS[kind].taught])
    if not specs:
        st.caption("None yet: the loss alone decides the weights. Dropout is a setting of the architecture.")
    for spec in specs:
        st.divider()
        _settings(spec, epochs)


def _listed(kinds: Sequence[str]) -> str:
    return " + ".join(REGULARISERS[kind].short for kind in kinds) or "none"


def _add_box(offered: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Add a regulariser",
            offered,
            index=None,
            format_func=lambda kind: REGULARISERS[kind].title,
            placeholder="L1, group lasso, early stopping…",
            key=_ADD,
            on_change=lambda: _add(st.session_state[_ADD]),
            disabled=not offered,
            help="Several may act at once.",
        )
        with st.popover("", icon=":material/category:", help="What each one does"):
            for kind in offered:
                _offer(REGULARISERS[kind])
            st.divider()
            st.markdown("**Dropout**, a setting of the architectures that have it")
            for entry in DROPOUTS.values():
                st.markdown(f"{entry.title}: ${entry.formula}$")
                st.caption(entry.effect, help=f"{entry.help} Source: {entry.source}.")


def _offer(entry: RegulariserEntry) -> None:
    st.button(
        entry.title,
        icon=":material/add:",
        type="tertiary",
        key=f"browse.{entry.name}",
        on_click=_add,
        args=(entry.name,),
    )
    st.caption(entry.effect)


def _settings(spec: RegulariserSpec, epochs: int) -> None:
    entry, place = REGULARISERS[spec.kind], ("regularisers", spec.kind)
    change = partial(_dialled, spec.kind, epochs)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{entry.title}**", width="stretch")
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=choice.key(*place, "remove"),
            help=f"Remove {entry.title}",
            on_click=_remove,
            args=(spec.kind,),
        )
    st.markdown(f"{'Adds ' if entry.solvers else ''}${entry.formula}$")
    st.caption(entry.effect_by(spec.solver), help=f"{entry.help} Source: {entry.source}.")
    if entry.default_strength is not None:
        _strength(entry, spec, epochs, place)
    if len(entry.solvers) > 1:
        with framed(f"regularisers.{spec.kind}.solver", "Solver"):
            solver = st.segmented_control(
                "Solver",
                list(entry.solvers),
                default=spec.solver or entry.solvers[0],
                required=True,
                key=choice.key(*place, "solver"),
                help="\n\n".join(f"**{name}** {SOLVERS[name]}" for name in entry.solvers),
                on_change=change,
            )
        if solver == "penalty" and entry.penalty_note:
            st.info(entry.penalty_note, icon=":material/info:")
    fields(entry.parameters, spec.params, *place, path=f"regularisers.{spec.kind}.params", on_change=change)


def _strength(entry: RegulariserEntry, spec: RegulariserSpec, epochs: int, place: tuple[str, str]) -> None:
    """The strength, when it acts, and a small picture of that."""
    assert entry.default_strength is not None
    change = partial(_dialled, spec.kind, epochs)
    with framed(f"regularisers.{spec.kind}.strength", f"Strength {entry.symbol}"):
        strength = log_dial(
            f"Strength {entry.symbol}",
            entry.default_strength if spec.strength is None else spec.strength,
            entry.strength_low,
            entry.strength_high,
            entry.strength_help,
            choice.key(*place, "strength"),
            change,
        )
    with framed(f"regularisers.{spec.kind}.schedule", f"Schedule of {entry.symbol}"):
        st.selectbox(
            f"Schedule of {entry.symbol}",
            list(SHAPES),
            list(SHAPES).index(shape_of(spec)),
            key=choice.key(*place, "shape"),
            help="\n\n".join(f"**{name}**: it {does}." for name, does in SHAPES.items())
            + "\n\nA strong one from the first step can kill a network that would have borne it later.",
            on_change=change,
        )
    if spec.warmup_epochs:
        with framed(f"regularisers.{spec.kind}.warmup_epochs", "Rise"):
            st.slider(
                "Begins after (epochs)" if spec.schedule == "step" else "Rises over (epochs)",
                1,
                max(epochs, spec.warmup_epochs, 2),
                spec.warmup_epochs,
                key=choice.key(*place, "warmup", spec.schedule),
                on_change=change,
            )
    if entry.releases and spec.solver != "penalty":
        _release(entry, spec, epochs, place)
    drawn = schedule(spec.model_copy(update={"strength": strength}), epochs)
    live_chart(
        json.dumps(drawn),
        key=f"schedule.{spec.kind}",
        height=110,
        alt=f"{entry.symbol} of {entry.title} over the run: it {SHAPES[shape_of(spec)]}, {strength:g}"
        + (f", and 0 after {spec.release_epochs} epochs." if spec.release_epochs else "."),
    )


def _release(entry: RegulariserEntry, spec: RegulariserSpec, epochs: int, place: tuple[str, str]) -> None:
    """Whether the penalty lets go before the end, when, and at which learning rate it goes on."""
    change = partial(_dialled, spec.kind, epochs)
    first = spec.warmup_epochs + 1
    with framed(f"regularisers.{spec.kind}.release_epochs", "Release"):
        st.toggle(
            "Let go before the end",
            bool(spec.release_epochs),
            key=choice.key(*place, "releases"),
            help=f"From then on {entry.symbol} is 0 and what is zero stays zero: the weights that are left "
            "grow to the size that the data ask for (the relaxed lasso: Meinshausen 2007).",
            on_change=change,
            disabled=not spec.release_epochs and first >= epochs,
        )
        if not spec.release_epochs:
            return
        st.slider(
            "Lets go after (epochs)",
            first,
            max(epochs - 1, spec.release_epochs, first + 1),
            spec.release_epochs,
            key=choice.key(*place, "release_epochs", first),
            on_change=change,
        )
    with framed(f"regularisers.{spec.kind}.release_rate", "Learning rate from then on"):
        st.select_slider(
            "Learning rate from then on",
            sorted({*RISES, spec.release_rate}),
            spec.release_rate,
            format_func=lambda rate: f"× {rate:g}",
            key=choice.key(*place, "release_rate"),
            help="A schedule may have made it small by then; the weights need steps to grow.",
            on_change=change,
        )


def shape_of(spec: RegulariserSpec) -> Shape:
    """What its λ does over the run."""
    return spec.schedule if spec.warmup_epochs else "constant"


def _dialled(kind: str, epochs: int) -> None:
    """Put what the widgets of one regulariser say into the visit's spec."""
    specs = choice.current().regularisers
    choice.change_regularisers(
        tuple(_as_dialled(spec, epochs) if spec.kind == kind else spec for spec in specs)
    )


def _as_dialled(spec: RegulariserSpec, epochs: int) -> RegulariserSpec:
    entry = REGULARISERS[spec.kind]

    def now(name: str, value: Any) -> Any:
        return st.session_state.get(choice.key("regularisers", spec.kind, *name.split(".")), value)

    update: dict[str, Any] = {
        "params": said(entry.parameters, spec.params, "regularisers", spec.kind),
        "solver": now("solver", spec.solver),
    }
    if entry.default_strength is not None:
        shape: Shape = now("shape", shape_of(spec))
        update |= {"strength": now("strength", spec.strength), "warmup_epochs": 0}
        if shape != "constant":
            first = spec.warmup_epochs or max(1, epochs // 2)
            update |= {"schedule": shape, "warmup_epochs": now(f"warmup.{shape}", first)}
    if entry.releases:
        update |= {"release_epochs": 0, "release_rate": 1.0}
        if update["solver"] != "penalty" and now("releases", bool(spec.release_epochs)):
            # As late as three quarters of the run, and never before the strength has risen.
            release = now(
                f"release_epochs.{spec.warmup_epochs + 1}", spec.release_epochs or max(1, 3 * epochs // 4)
            )
            update["release_epochs"] = max(release, update["warmup_epochs"] + 1)
            update["release_rate"] = now("release_rate", spec.release_rate)
    return spec.model_copy(update=update)


def _add(kind: str | None) -> None:
    st.session_state[_ADD] = None
    if kind is not None:
        spec, rises = RegulariserSpec(kind=kind), REGULARISERS[kind].rises
        if rises:
            rise = {"schedule": rises, "warmup_epochs": in_time(choice.current().train.epochs)}
            spec = spec.model_copy(update=rise)
        choice.change_regularisers((*choice.current().regularisers, spec))


def _remove(kind: str) -> None:
    choice.change_regularisers(tuple(s for s in choice.current().regularisers if s.kind != kind))
