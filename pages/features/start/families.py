"""The three families of techniques, folded: each with a picture that the code makes, and its experiments."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from core.catalogues import filled
from core.figures.shrinkage import shrinkage_curves
from core.presets import Preset
from core.run.spec import RunSpec
from core.text.describe import budget
from core.text.escape import plain
from pages.components.gallery import Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.start.start_or_look import start_or_look

# `python -m tests.make_families` makes it of the code itself, and a test compares the two: this page needs
# no worker, and no torch.
SHOWN = Path(__file__).parents[2] / "assets" / "families.json"
HEIGHT = 260  # pixels, of each picture
A_ROW = 2  # experiments, beside a family's picture


def families(presets: Sequence[Preset]) -> None:
    """Each family with those of the ``presets`` that show it."""
    for family in FAMILIES:
        with st.expander(plain(family.title), icon=family.icon):
            picture, experiments = st.columns([1, 2], gap="large")
            with picture:
                family.picture()
            with experiments:
                _experiments([preset for preset in presets if family_of(preset.spec) == family.title])


def family_of(spec: RunSpec) -> str:
    """The title of the family that a preset is about."""
    if spec.regularisers:
        return "Regularisation"
    return "Data augmentation" if spec.augment.ops else "Network structure"


def _experiments(presets: Sequence[Preset]) -> None:
    for i in range(0, len(presets), A_ROW):  # columns of its own: for Tab, presets keep their order
        for column, preset in zip(st.columns(A_ROW), presets[i : i + A_ROW], strict=False):
            with column.container(border=True, height="stretch", key=f"preset.{preset.name}"):
                _experiment(preset)


def _experiment(preset: Preset) -> None:
    st.markdown(f"**{preset.title}**")
    st.markdown(f":small[{preset.watch}]")
    with st.container(key=f"foot.{preset.name}"):
        st.caption(plain(budget(filled(preset.spec))))
        start_or_look(preset)


def _augmentation() -> None:
    """One photograph, six times, each drawn anew."""
    gallery(
        [
            Tile(src=source, alt=f"The same photograph, augmented, draw {i + 1}.")
            for i, source in enumerate(_shown()["pictures"])
        ],
        key="family.augment",
        columns=12,  # three in so narrow a column
    )
    st.caption("One photograph, six draws: the network never sees the same picture twice.")
    st.page_link("pages/1_Augment.py", label="Tune augmentations by eye", icon=":material/auto_fix_high:")


def _structure() -> None:
    """Where the architectures keep their parameters."""
    live_chart(_structures(), key="family.structure", height=HEIGHT, alt="Bars: parameters of each layer.")
    st.caption("Four networks for the same digits, layer by layer: one dense layer holds most of the CNN.")


def _regularisation() -> None:
    """What one regularised step makes of a weight."""
    live_chart(
        _curves(),
        key="family.regularise",
        height=HEIGHT,
        alt="Curves: a weight after one step against the weight before; L1 is flat at zero.",
    )
    st.caption(
        "What one step makes of a weight: L2 shrinks all of them, L1 sets the small ones to exactly zero."
    )


@cache
def _shown() -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(SHOWN.read_text(encoding="utf-8"))
    return shown


@cache
def _structures() -> str:
    return json.dumps(_shown()["structures"])


@cache
def _curves() -> str:
    return json.dumps(shrinkage_curves())


class Family(NamedTuple):
    """A title, an icon, and what draws the picture."""

    title: str
    icon: str
    picture: Callable[[], None]


FAMILIES = (
    Family("Data augmentation", ":material/auto_fix_high:", _augmentation),
    Family("Network structure", ":material/schema:", _structure),
    Family("Regularisation", ":material/compress:", _regularisation),
)
