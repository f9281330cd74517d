"""The first line of Train: what the run is called, its seed, how many seeds, how long it takes, and Start."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from core.catalogues import completed, filled
from core.presets import PRESETS
from core.run.errors import SpecError
from core.run.spec import RunSpec, SeedsSpec
from core.text.differs import differences
from core.text.escape import plain
from core.text.how_long import how_long, in_words
from core.text.seeds import held_apart
from pages.features.editor import choice
from pages.features.editor.choice import key
from pages.features.editor.fork import Chosen
from pages.features.frame.setup import jobs
from pages.features.frame.share import share_box
from pages.features.frame.teacher import PARTS, part_shown
from pages.features.live.starting import preset_of, start_branch
from pages.features.live.trained_before import start_or_offer, start_seeds

SEEDS = (1, 3, 5)
MOST_LETTERS = 80
LOOKED_THROUGH = 50  # runs, for one that is like this


class Bar(NamedTuple):
    """The spec with what was typed; what the run would be called; how many seeds are to be trained."""

    spec: RunSpec
    name: str
    seeds: int

    @property
    def to_start(self) -> RunSpec:
        return self.spec.model_copy(update={"name": self.name})


def start_bar(spec: RunSpec, fork: Chosen | None = None) -> Bar:
    """Draw the bar's fields; `start_button` is drawn beside them once the spec is known to be sound.

    Args:
        fork: the run is to branch from there.
    """
    is_presets = any(each.spec.name == spec.name for each in PRESETS.values())
    proposed = _proposed(spec) if fork is None else _proposed_branch(spec, fork)
    if not part_shown("name"):
        return Bar(spec, spec.name or proposed, 1)
    typed = st.text_input(
        "Name", "" if is_presets else spec.name, max_chars=MOST_LETTERS, key=key("name"),
        placeholder=proposed,
        help="What the run is called in lists: by itself after what sets it apart from the baseline.",
    )  # fmt: skip
    if fork is not None:
        return Bar(
            spec.model_copy(update={"name": (typed or "").strip()}), (typed or "").strip() or proposed, 1
        )
    seed = st.number_input(
        "Seed", 0, 2**31 - 1, spec.seed, key=key("seed"), width=110,
        help="The same seed gives the same run, bit for bit.",
    )  # fmt: skip
    seeds = st.segmented_control(
        "Seeds", SEEDS, default=1, required=True, key=key("seeds"), format_func=lambda count: f"×{count}",
        help="How far apart are runs that differ by chance alone? They train one after the other.",
    )  # fmt: skip
    name = (typed or "").strip()
    # A preset's name stays with the choices: who takes his changes back has the preset again.
    kept = spec.model_copy(update={"name": name or (spec.name if is_presets else ""), "seed": seed})
    # Runs of other seeds sit the same exam; that of the run's own seed is left out, as presets have it.
    split_seed = None if spec.split_seed == seed else spec.split_seed
    kept = kept.model_copy(update={"data": kept.data.model_copy(update={"split_seed": split_seed})})
    return Bar(kept, name or proposed, int(seeds or 1))


def _proposed(spec: RunSpec) -> str:
    """A preset's name while it is one; else what sets it apart from the baseline."""
    base = PRESETS["baseline"].spec
    try:
        if preset := preset_of(completed(spec)):
            return preset.spec.name
    except SpecError:
        pass
    return ", ".join(differences(filled(spec), filled(base))[:3])[:MOST_LETTERS] or base.name


def _proposed_branch(spec: RunSpec, fork: Chosen) -> str:
    """What sets it apart from the run that it comes from."""
    apart = differences(filled(spec), fork.fork.spec)
    at = fork.fork.at
    where = f"step {at.step:,}" if at.within else f"epoch {at.epochs}"
    return f"{', '.join([*apart[:3], 'from'])} {where} of {fork.name}"[:MOST_LETTERS]


def start_button(bar: Bar, disabled: bool, fork: Chosen | None = None) -> None:
    """Start it, or say which run it would repeat."""
    start: Callable[..., None] = start_or_offer if bar.seeds == 1 else start_seeds
    given: tuple[object, ...] = (bar.to_start,) if bar.seeds == 1 else (bar.to_start, bar.seeds)
    if fork is not None:
        start, given = start_branch, (fork.fork, bar.to_start)
    st.button(
        "Start training" if fork is None else "Start the branch",
        type="primary",
        icon=":material/play_arrow:" if fork is None else ":material/call_split:",
        key="start",
        on_click=start,
        args=given,
        disabled=disabled,
    )


def _one_seed(spec: RunSpec) -> None:
    choice.remember(spec.model_copy(update={"seeds": SeedsSpec()}))


def about_it(bar: Bar) -> None:
    """How it differs from the preset, how long it takes, and its link."""
    base = choice.base()
    apart, name = differences(bar.spec, filled(base.spec)), base.spec.name if base.name else base.title
    said = [f"Differs from {name}: {', '.join(apart)}." if apart else f"As {name}."]
    if found := how_long(bar.spec, jobs().recent(LOOKED_THROUGH)):
        many = "" if bar.seeds == 1 else f" for {bar.seeds} seeds"
        said.append(f"It takes {in_words(bar.seeds * found.seconds)}{many}, by “{found.measured_in}”.")
    if apart := held_apart(bar.spec):
        said.append(f"With seeds held apart: {', '.join(apart)}.")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(plain(" ".join(said)), width="stretch")
        if apart:
            st.button(
                "One seed for all",
                key=key("one_seed"),
                on_click=_one_seed,
                args=(bar.spec,),
                help="Seeds that are held apart stay as they are, whatever the seed above.",
            )
        if part_shown("share"):
            with st.popover("Share", icon=":material/share:"):
                share_box(PARTS, PARTS)
