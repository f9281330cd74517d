"""See what augmentations do to images, and tune them by eye.

The pipeline drawn here is the object that training uses, made from the same spec: what this page
shows at draw k is what a run with this seed does to a batch at step k.
"""

import streamlit as st

from core.errors import SpecError
from core.presets import FIRST_LOOK
from core.preview import preview
from pages.widgets import choice
from pages.widgets.augment_editor import augment_editor
from pages.widgets.images import chosen_images
from pages.widgets.preview_grid import preview_grid
from pages.widgets.setup import page

page("Augment")
spec = choice.current(first=FIRST_LOOK)

with st.sidebar:
    images = chosen_images(spec)
    augment = augment_editor(spec, images.tensor.shape[1])
    spec = spec.model_copy(update={"augment": augment})
    choice.remember(spec)
    if st.button("Train with this", type="primary", icon=":material/play_arrow:", width="stretch"):
        st.switch_page("pages/2_Train.py", query_params={"spec": st.query_params["spec"]})

st.title("Augment", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    seed = st.number_input("Seed", 0, 2**31 - 1, spec.seed, key=choice.key("augment", "seed"), width=160)
    spec = spec.model_copy(update={"seed": seed})
    choice.remember(spec)
    draw = st.session_state.get("augury.draw", 0)
    if st.button("New draw", icon=":material/casino:", help="The same settings, other random numbers."):
        draw += 1
        st.session_state["augury.draw"] = draw
    try:
        shown = preview(spec.augment, images.tensor, seed=seed, step=draw)
    except SpecError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    num_ops = sum(op.enabled for op in spec.augment.ops)
    st.caption(
        f"draw {draw} · {len(images.tensor)} images of {images.tensor.shape[-1]} px · "
        f"{num_ops} {'operation' if num_ops == 1 else 'operations'} · {shown.seconds * 1e3:.0f} ms · "
        f"{'GPU' if shown.device == 'cuda' else 'CPU'}"
    )
preview_grid(images, shown)
