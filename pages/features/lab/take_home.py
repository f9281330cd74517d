"""The pipeline as Python, JSON or YAML to copy or download, and back in again."""

from __future__ import annotations

import streamlit as st

from core.augment.export.python import as_python
from core.augment.export.text import as_json, as_yaml, read
from core.run.errors import SpecError
from core.text.escape import plain
from pages.features.editor import choice
from pages.features.editor import undo as history
from pages.features.frame.upload_budget import content_of
from pages.features.lab.look import Look

_TEXT = "augury.load"


def take_home(look: Look) -> None:
    """Show the code; offer to load another pipeline."""
    form = st.segmented_control(
        "Form", ["Python", "JSON", "YAML"], default="Python", required=True, key="lab.form"
    )
    augment = look.augment
    if form == "Python":
        text = as_python(
            augment,
            channels=look.images.channels,
            side=look.images.side,
            seed=look.seed,
            step=look.step,
        )
        st.caption(
            "Runs with torch and Kornia alone, and gives the pictures of this page: same seed, same draw."
        )
        name, language = "pipeline.py", "python"
    elif form == "JSON":
        text, name, language = as_json(augment), "pipeline.json", "json"
    else:
        text, name, language = as_yaml(augment), "pipeline.yaml", "yaml"
    st.download_button(f"Download {name}", text, name, icon=":material/download:", on_click="ignore")
    _load_box()
    st.code(text, language=language, wrap_lines=True)


def _load_box() -> None:
    with st.expander("Load a pipeline", icon=":material/upload_file:", key="lab.load"):
        st.file_uploader(
            "JSON or YAML file",
            type=["json", "yaml", "yml"],
            key="lab.file",
            max_upload_size=1,
            on_change=_load_file,
        )
        st.text_area(
            "or paste it", key=_TEXT, height=160, max_chars=64 * 1024, placeholder="ops:\n- op: RandomAffine"
        )
        st.button("Use this pipeline", on_click=_load_text)
        if problem := st.session_state.pop("lab.problem", None):
            st.error(plain(problem), icon=":material/error:")


def _load_file() -> None:
    file = st.session_state["lab.file"]
    if file is not None:
        _load(content_of(file))


def _load_text() -> None:
    _load(st.session_state[_TEXT].encode())


def _load(content: bytes) -> None:
    try:
        augment = read(content)
    except SpecError as error:
        st.session_state["lab.problem"] = str(error)
        return
    history.apply(augment, "load a pipeline")
    choice.replace(choice.current())  # every dial anew
    st.rerun()
