"""Which images are trained on, how many of them, and which are kept for validation."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

import streamlit as st

from core.data.catalogue import DATASETS
from core.data.own import Fit, Form, form_of
from core.run.errors import SpecError
from core.run.spec import DataSpec
from core.text.escape import plain
from pages.features.editor import choice
from pages.features.editor.choice import key
from pages.features.editor.marks import framed
from pages.features.frame.asking import ask
from pages.features.images.upload import upload_box

OWN_SET = next(name for name, entry in DATASETS.items() if entry.own)


def data_part(spec: DataSpec, seed: int) -> None:
    """A bundled set, or a person's own as a zip, which is checked before it is kept."""
    pick_images(spec, "data", "Images", "")
    entry = DATASETS[spec.name]
    if entry.own:
        own_zip(spec)
        if spec.path is not None:
            _form_fields(spec.path, form_of(spec))
    if (kept := _brought_along(spec)) is None:
        _split_fields(spec, seed)
    else:
        st.caption(f"This set brings its own validation images ({kept:,}).")
    with framed(
        "data.train_images", "Training images", lambda count: "all" if count is None else f"{count:,}"
    ):
        st.number_input(
            "Training images",
            min_value=1,
            max_value=1_000_000,
            value=spec.train_images,
            placeholder="all of them",
            key=key("data", "train_images"),
            help="Fewer images make overfitting easy to see. Empty: all of them.",
            on_change=partial(_set, "train_images"),
        )


def pick_images(spec: DataSpec, place: str, label: str, more: str) -> None:
    """A choice among the sets; a person's own are those of before, if there were some.

    Args:
        place: where it stands, for its key.
        more: to say in its help.
    """
    names, at = list(DATASETS), key(place, "name")
    with framed("data.name", "Images", lambda name: DATASETS[name].title):
        st.selectbox(
            label,
            names,
            names.index(spec.name),
            format_func=lambda name: DATASETS[name].title,
            key=at,
            help=f"{plain(DATASETS[spec.name].help)} {plain(more)}",
            on_change=lambda: choose_images(st.session_state[at]),
        )


def own_zip(spec: DataSpec) -> None:
    """Where a person's own images come from."""
    if (uploaded := upload_box(spec.path is not None)) and uploaded.is_new:
        update = {"path": uploaded.path, **uploaded.form._asdict()}
        choice.change("data", spec.model_copy(update=update))
        st.rerun()


def waits_for_images(spec: DataSpec) -> bool:
    """Whether a person has chosen his own images and not given any yet."""
    return DATASETS[spec.name].own and spec.path is None


def choose_images(name: str) -> None:
    """Train on another set, with all else of the data as it is."""
    before, own = choice.current().data, choice.own_images()
    if name == before.name:
        return
    update: dict[str, Any] = dict.fromkeys(("path", *Form._fields)) | {"name": name}
    if DATASETS[name].own and own is not None:
        update |= {"path": own.path, **form_of(own)._asdict()}
    choice.change("data", before.model_copy(update=update))


def _set(name: str) -> None:
    choice.change(
        "data", choice.current().data.model_copy(update={name: st.session_state[key("data", name)]})
    )


def _brought_along(spec: DataSpec) -> int | None:
    """How many validation images a person's own set brings; None: they are drawn from it."""
    if not DATASETS[spec.name].own or spec.path is None:
        return None
    try:  # whatever part of it is trained on
        found = ask("account", data=spec.model_copy(update={"train_images": None}))
    except SpecError:  # the page says why
        return None
    return int(found["validation"]) if found["given_split"] else None


def _split_fields(spec: DataSpec, seed: int) -> None:
    with framed("data.validation_share", "Kept for validation"):
        st.slider(
            "Kept for validation (share)",
            0.05,
            0.5,
            spec.validation_share,
            0.05,
            key=key("data", "validation_share"),
            on_change=partial(_set, "validation_share"),
        )
    with framed("data.split_seed", "Split seed"):
        st.number_input(
            "Split seed",
            0,
            2**31 - 1,
            seed if spec.split_seed is None else spec.split_seed,
            key=key("data", "split_seed"),
            help="Draws which images are kept for validation: runs of other seeds sit the same exam.",
            on_change=partial(_set, "split_seed"),
        )


def _form_fields(path: str, form: Form) -> None:
    """What every image of a person's own is made into; another set starts from what suits it."""
    own = path[-8:]
    set_form = partial(_set_form, own)
    with framed("data.side", "Side"):
        st.select_slider(
            "Side (px)",
            sorted({8, 16, 28, 32, 48, 64, 96, 128, 192, 256} | {form.side}),
            form.side,
            key=key("data", own, "side"),
            help="Images are scaled to this side. Larger ones train slower.",
            on_change=set_form,
        )
    fits: tuple[Fit, ...] = get_args(Fit)
    with framed("data.fit", "Not square"):
        st.segmented_control(
            "Not square",
            fits,
            default=form.fit,
            required=True,
            format_func=str.capitalize,
            key=key("data", own, "fit"),
            help="Crop keeps the middle; pad keeps all and fills up with the colour of the image's edge; "
            "stretch keeps all and bends shapes.",
            on_change=set_form,
        )
    with framed("data.channels", "Colour"):
        st.toggle("Colour", form.channels != 1, key=key("data", own, "colour"), on_change=set_form)


def _set_form(own: str) -> None:
    side, fit, colour = (st.session_state[key("data", own, name)] for name in ("side", "fit", "colour"))
    update = {"side": side, "fit": fit, "channels": 3 if colour else 1}
    choice.change("data", choice.current().data.model_copy(update=update))
