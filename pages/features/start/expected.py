"""What a lesson will look like: the curves of one run of it, small, in its card.

``python -m tests.make_lessons`` measures them, and a test compares what was measured with the presets of
today: this page needs no worker, and no torch.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from core.figures.parts import NEUTRAL, SPARSITY, TRAIN, VALIDATION

MEASURED = Path(__file__).parents[2] / "assets" / "lessons.json"
WIDTH, HEIGHT = 100, 40  # of a picture, in its own units


class Curve(NamedTuple):
    """One line of a picture: a share after each epoch, and of how many things."""

    name: str
    colour: str
    shares: Sequence[float]
    of: str

    @property
    def last(self) -> str:
        """E.g. ``validation 92.7 % of 1,000``."""
        return f"{self.name} {100 * self.shares[-1]:.3g} % of {self.of}"


@cache
def measured() -> dict[str, dict[str, Any]]:
    """A lesson's run, by its preset's name."""
    told: dict[str, dict[str, Any]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return told


def curves(name: str, *, zeros: bool) -> tuple[Curve, Curve]:
    """The two lines that a lesson is about: zeros, or clean train; and validation."""
    run = measured()[name]
    validation = Curve("validation", VALIDATION, run["validation"], f"{run['validation_images']:,}")
    if zeros:
        return Curve("exact zeros", SPARSITY, run["zeros"], f"{run['weights']:,} weights"), validation
    return Curve("clean train", TRAIN, run["clean"], f"{run['clean_images']:,}"), validation


def expected(name: str, *, zeros: bool) -> None:
    """Draw it."""
    st.html(_expected(name, zeros=zeros))


@cache
def _expected(name: str, *, zeros: bool) -> str:
    lines = curves(name, zeros=zeros)
    low = 0.0 if zeros else 0.5
    epochs = len(lines[0].shares)
    alt = f"Expected after {epochs} epochs: {', '.join(line.last for line in lines)}."
    picture = base64.b64encode(_svg(lines, low).encode()).decode()
    legend = "".join(f'<div><i style="background: {line.colour}"></i>{line.last}</div>' for line in lines)
    return (
        f'<figure class="expected"><div class="plot"><span>100 %</span><span>{100 * low:.0f} %</span>'
        f'<img src="data:image/svg+xml;base64,{picture}" alt="{alt}"></div>'
        f"<figcaption>{legend}</figcaption></figure>"
    )


def _svg(lines: Sequence[Curve], low: float) -> str:
    """The lines between ``low`` and 1, over two axes; the picture is stretched to the card's width."""
    paths = "".join(_path(line.shares, low, line.colour) for line in lines)
    axes = f'<path d="M0 0V{HEIGHT}H{WIDTH}" stroke="{NEUTRAL}" vector-effect="non-scaling-stroke"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -1 {WIDTH} {HEIGHT + 2}" '
        f'preserveAspectRatio="none" fill="none">{axes}{paths}</svg>'
    )


def _path(shares: Sequence[float], low: float, colour: str) -> str:
    step = WIDTH / max(len(shares) - 1, 1)
    points = " ".join(
        f"{i * step:.1f},{HEIGHT * (1 - share) / (1 - low):.1f}" for i, share in enumerate(shares)
    )
    return (
        f'<polyline points="{points}" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round" '
        'vector-effect="non-scaling-stroke"/>'
    )
