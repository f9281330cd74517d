"""The augmentation lab: see what operations do to images, tune them by eye, and take them home.

The pipeline drawn here is the object that training uses, made from the same spec: what this page
shows at draw k is what a run with this seed does at step k to a batch of as many images. A dial re-runs
`view` alone.
"""

import pages.features.frame.early  # noqa: F401, I001  before all others: see there

import streamlit as st

from core.presets import FIRST_LOOK
from core.run.errors import SpecError
from core.text.escape import plain
from core.text.refusals import in_words
from pages.features.editor import choice
from pages.features.editor.augment_editor import augment_editor
from pages.features.frame.setup import page
from pages.features.frame.share import dials_of, share_box
from pages.features.frame.teacher import CONTROLS, shown
from pages.features.images.images import chosen_images, no_labels_note
from pages.features.lab.draw import drawn_step, seed_and_draw
from pages.features.lab.look import Look
from pages.features.lab.tabs import open_tab

page("Augment", "Dials", sheet_open=True)
spec = choice.current(first=FIRST_LOOK)
choice.remember(spec)
with st.sidebar:
    images = chosen_images(spec)
    augment_editor(spec.augment, channels=images.channels, view="view")

with st.container(
    key="lab_head", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
):
    st.title("Augment", anchor=False, width="content")
    with st.container(horizontal=True, width="content"):
        if shown("share"):
            with st.popover("Share", icon=":material/share:"):
                share_box(CONTROLS, dials_of(spec.augment))
        train = shown("train") and st.button("Train with this", type="primary", icon=":material/play_arrow:")
no_labels_note(images, spec.data)
with st.container(key="lab_draw"):
    seed_and_draw(spec.seed_of("augment"), view="view")
tab, draw = open_tab(images)


@st.fragment(key="view")
def view() -> None:
    """What the open tab shows: all that a dial changes, and nothing else."""
    try:
        draw(Look(choice.current(), images, drawn_step()))
    except SpecError as error:
        st.error(plain(in_words(error)), icon=":material/error:")


with tab:
    view()
if train:
    st.switch_page("pages/2_Train.py", query_params={"spec": st.query_params["spec"]})
