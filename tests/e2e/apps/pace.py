"""A fragment that begins at one turn a minute and asks, from within, for five a second, ten times."""

import streamlit as st

from pages.features.live.audience import ask_again_in


@st.fragment(run_every=60)
def turns() -> None:
    st.session_state.turns = st.session_state.get("turns", 0) + 1
    ask_again_in(0.2 if st.session_state.turns < 10 else 600)
    st.markdown(f"turn {st.session_state.turns}")


turns()
