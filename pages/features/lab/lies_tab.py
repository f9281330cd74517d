"""Whether an operation changes what the label should be: as declared, and as a trained network sees it."""

from __future__ import annotations

import json

import streamlit as st
import torch
from torch import Tensor

from core.figures import probes as figures
from core.pictures import encode_images
from core.probe import label_damage as lies
from core.run.errors import SpecError
from core.store.store import StoredRun, run_folder
from core.text.escape import plain
from pages.components.gallery import Line, Tile, gallery
from pages.components.live_chart import live_chart
from pages.features.frame.asking import ask
from pages.features.frame.setup import jobs
from pages.features.lab.look import Look

_MEASURED = "augury.lies"  # {what was measured: the accuracies}, for this visit


def lies_tab(look: Look) -> None:
    """Warnings first; then, where a run on these images has finished, what its network makes of them."""
    warnings = lies.declared(look.augment)
    for title, sentence in warnings:
        st.warning(f"**{title}.** {sentence}", icon=":material/warning:")
    if not warnings:
        st.success("No operation that is on is known to change labels.", icon=":material/check:")
    _readings(look)
    st.markdown("**What a trained network says**")
    run = lies.latest_run(jobs().recent(), look.spec.data)
    if run is None:
        st.info(
            f"Train on {plain(look.spec.data.name)} once, without these operations. Then you see here how "
            "often that network is still right on validation images after each of them.",
            icon=":material/model_training:",
        )
        return
    st.caption(
        f"The network of “{plain(run.name) or 'Unnamed'}”, the latest finished run on "
        f"{plain(look.spec.data.name)}, on the images it kept for validation: plain, after each operation "
        "alone (p = 1), and after the whole pipeline. A bar that falls means that the label lies, or that "
        "the network never learnt that the change means nothing: the pictures tell which."
    )
    kept: dict[object, list[lies.Accuracy]] = st.session_state.setdefault(_MEASURED, {})
    of = (run.id, look.augment.model_dump_json(), look.seed)
    if st.button("Measure", icon=":material/fact_check:", key="lies.measure") or of in kept:
        try:
            if of not in kept:
                kept[of] = _measured(look, run)
        except SpecError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        _show(kept[of])


def _readings(look: Look) -> None:
    """Images whose label, by what it means, is another one after an operation: no network is asked."""
    try:
        found = ask("label_changes", augment=look.augment, data=look.spec.data, seed=look.seed)
    except SpecError:  # the images can't be read: the part below says why
        return
    if not found["titles"]:
        return
    st.markdown("**Read off the draws**: the label stays, and the image says another")
    captions = [
        f"{label}, reads {reading}" for label, reading in zip(found["labels"], found["reads_as"], strict=True)
    ]
    gallery(
        [
            Tile(src=after, alt=f"{caption}.", caption=caption, lines=(Line(title),), before=before)
            for after, before, caption, title in zip(
                found["after"], found["before"], captions, found["titles"], strict=True
            )
        ],
        key="readings",
    )


def _measured(look: Look, run: StoredRun) -> list[lies.Accuracy]:
    """One row after the other, with the bars growing meanwhile."""
    rows, total = [], len(lies.plan(look.augment))
    bar = st.progress(0.0, "Opening the network…")
    trained = lies.open_trained(run.spec, run_folder(run.id))
    for row in lies.measured(trained, look.augment, seed=look.seed):
        rows.append(row)
        bar.progress(len(rows) / total, f"{row.title}: {row.share:.1%} right")
    bar.empty()
    return rows


def _show(rows: list[lies.Accuracy]) -> None:
    chart = figures.accuracies(rows)
    live_chart(json.dumps(chart.figure), key="lies", height=120 + 40 * len(rows), alt=chart.alt)
    for row in rows:
        if not row.mistakes:
            continue
        st.markdown(f"**{row.title}**: known plain, mistaken after")
        _pictures(
            f"lies.{row.title}",
            [
                (
                    each.before,
                    each.after,
                    f"{each.label}, taken for {each.answer}",
                    "sure",
                    f"{each.confidence:.0%}",
                )
                for each in row.mistakes
            ],
        )


def _pictures(key: str, rows: list[tuple[Tensor, Tensor, str, str, str]]) -> None:
    """Pictures with the original on hover: before, after, a caption, and a name and a value beneath."""
    before = encode_images(torch.stack([row[0] for row in rows]))
    after = encode_images(torch.stack([row[1] for row in rows]))
    gallery(
        [
            Tile(src=source, alt=f"{caption}.", caption=caption, lines=(Line(name, value),), before=original)
            for (_, _, caption, name, value), source, original in zip(rows, after, before, strict=True)
        ],
        key=key,
    )
