"""Ask a question that one run can't answer, watch its table fill, read the answer.

The address holds what is shown: ``?study=`` one study, ``?ask=`` a question about the run of ``?about=``.
"""

import pages.features.frame.early  # noqa: F401, I001  before all others: see there

import streamlit as st

from pages.features.frame.refused import refusal
from pages.features.frame.setup import page
from pages.features.study.answer import TO_TRAIN, answer
from pages.features.study.ask import ask_box
from pages.features.study.listing import listing
from pages.features.study.table import open_what_was_pressed

page("Studies")
open_what_was_pressed()
if st.session_state.pop(TO_TRAIN, False):
    st.switch_page("pages/2_Train.py")
if study_id := st.query_params.get("study"):
    answer(study_id)
    st.stop()
st.title("Studies", anchor=False)
st.caption("One run proves little. A study trains as many as an answer needs, and says how sure it is.")
refusal()
ask_box()
listing()
