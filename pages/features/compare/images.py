"""Validation images that one of two runs gets right and the other wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.measure.compare import Comparison, Judged, compare
from core.measure.paired import bits, chance, which
from core.run.errors import SpecError
from core.text.escape import plain
from core.text.repeats import uneven
from pages.components.gallery import Line, Tile, gallery
from pages.features.compare.compared import Compared, two_of, why_not_alike
from pages.features.frame.asking import ask
from pages.features.frame.downloads import has_weights

SHOWN = 18  # images of each


def images_part(runs: Sequence[Compared]) -> None:
    """How many there are of each, whether that is chance, and the images themselves."""
    if (two := two_of(runs)) is None:
        return
    one, other = two
    results = [run.view.history.result for run in two]
    for run, result in zip(two, results, strict=True):
        if result is None:
            st.caption(plain(f"“{run.name}” has ended no epoch."))
            return
    if why := why_not_alike(one.view, other.view):
        st.info(plain(why), icon=":material/difference:")
        return
    images = one.view.history.validation_images or 0
    rights = [str(result.get("right", "")) for result in results if result]
    ours, theirs = (bits(right, images) for right in rights)
    if not images or ours is None or theirs is None:
        st.caption(
            "Which images each names correctly was not kept: a run is of an older version, or has very many "
            "validation images."
        )
        return
    judged = [
        Judged(found.bit_count(), images, right) for found, right in zip((ours, theirs), rights, strict=True)
    ]
    _counts(two, judged, compare(*judged, same_images=True))
    answers = [_answers(run, right) for run, right in zip(two, rights, strict=True)]
    _shown("Right in A, wrong in B", which(ours & ~theirs, images), other, answers[1], "B")
    _shown("Right in B, wrong in A", which(theirs & ~ours, images), one, answers[0], "A")


def _counts(two: tuple[Compared, Compared], judged: Sequence[Judged], found: Comparison) -> None:
    """The table of two by two, and what it says."""
    lost, won = found.lost or 0, found.won or 0
    one, other = two
    both = judged[0].correct - won
    rows = {
        f"B right: {other.name}": [both, lost],
        f"B wrong: {other.name}": [won, found.images - both - won - lost],
    }
    index = [f"A right: {one.name}", f"A wrong: {one.name}"]
    st.dataframe(pd.DataFrame(rows, index=index), width="content", key="compare.two_by_two")
    ends = f"{100 * found.low:.1f} to {100 * found.high:.1f}".replace("-", "−")
    points = f"{round(100 * found.difference, 1) + 0.0:+.1f}".replace("-", "−")
    said = uneven(lost, won, chance(lost, won), found.is_beyond_noise)
    st.markdown(
        plain(f"{said} A less B: {points} points (95 %: {ends})."),
        help="McNemar's exact, two-sided test of the images on which they differ; the interval is Tango's. "
        f"Both are about these {found.images:,} images and these two runs: another seed moves them too.",
    )


def _answers(run: Compared, right: str) -> Mapping[str, Any] | None:
    """What a run's saved network says of each validation image; None: it has left none, or another one than
    the figures are of."""
    view = run.view
    if not view.ended or not has_weights(view.id):
        return None
    try:
        with st.spinner("Asking the networks about every validation image…"):
            found = ask(
                "predictions",
                slot=f"predictions {view.id}",
                spec=view.spec,
                run_id=view.id,
                version=view.version,
            )
    except SpecError:
        return None
    told = [a == b for a, b in zip(found["labels"], found["answers"], strict=True)]
    images = view.history.validation_images or 0
    known = bits(right, images)
    return (
        found
        if known is not None and which(known, images) == [i for i, well in enumerate(told) if well]
        else None
    )


def _shown(
    title: str, entries: Sequence[int], wrong: Compared, answers: Mapping[str, Any] | None, letter: str
) -> None:
    """The images, those first of which the network that is wrong is surest."""
    count = "1 image" if len(entries) == 1 else f"{len(entries):,} images"
    st.markdown(f"**{plain(title)}: {plain(count)}**")
    if not entries:
        return
    num_entries = len(entries)
    if answers:
        entries = sorted(entries, key=lambda i: -answers["confidence"][i])
    entries = entries[:SHOWN]
    try:
        found = ask("held_out", slot=f"held out {letter}", spec=wrong.view.spec, entries=entries)
    except SpecError as error:
        st.caption(plain(error.what))
        return
    names = found["classes"]
    tiles = []
    for i, label, picture in zip(entries, found["labels"], found["pictures"], strict=True):
        named = names[answers["answers"][i]] if answers else ""
        sure = f"{answers['confidence'][i]:.0%} sure" if answers else ""
        tiles.append(
            Tile(
                src=picture,
                alt=f"An image of class {names[label]}"
                + (f", which {letter} names {named}." if named else "."),
                caption=f"{names[label]} → {named}" if named else names[label],
                lines=(Line(letter, sure),) if sure else (),
            )
        )
    gallery(tiles, key=f"compare.wrong_in_{letter}", columns=9)
    some = f"The first {SHOWN} of {count}. " if len(tiles) < num_entries else ""
    how = (
        f"What it is → what {letter} names it, the surest first, with how sure {letter} is (softmax)."
        if answers
        else f"What it is. What {letter} names it is known while the weights it was judged by are kept."
    )
    st.caption(plain(some + how))
