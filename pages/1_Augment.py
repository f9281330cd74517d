"""See what augmentations do to images, and tune them by eye.

The pipeline drawn here is the object that training uses, made from the same spec: what this page
shows at draw k is what a run with this seed does to a batch at step k.
"""

import streamlit as st

from core.errors import SpecError
from core.presets import FIRST_LOOK
from core.preview import preview
from pages.widgets import choice
from pages.widgets.augment_editor import as_set, augment_editor
from pages.widgets.images import chosen_images
from pages.widgets.preview_grid import draw_button, preview_grid, what_it_took
from pages.widgets.setup import page

page("Augment")
spec = choice.current(first=FIRST_LOOK)

with st.sidebar:
    images = chosen_images(spec)
    editor = st.container()
spec = spec.model_copy(update={"augment": as_set(spec)})

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.title("Augment", anchor=False, width="content")
    train = st.button("Train with this", type="primary", icon=":material/play_arrow:")
with st.container(horizontal=True, vertical_alignment="bottom"):
    seed = st.number_input("Seed", 0, 2**31 - 1, spec.seed, key=choice.key("augment", "seed"), width=160)
    step = draw_button()
    line = st.empty()

spec = spec.model_copy(update={"seed": seed})
choice.remember(spec)
if train:
    st.switch_page("pages/2_Train.py", query_params={"spec": st.query_params["spec"]})
try:
    shown = preview(spec.augment, images.tensor, seed=seed, step=step)
    line.caption(what_it_took(spec, images, shown, step))
    preview_grid(images, shown)
except SpecError as error:
    st.error(str(error), icon=":material/error:")
with editor:  # last: the pictures are what a person waits for
    augment_editor(spec, images.tensor.shape[1])
