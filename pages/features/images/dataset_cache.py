"""A dataset in this server's memory, shared by all visitors."""

from __future__ import annotations

import streamlit as st

from core.data.catalogue import load_dataset
from core.data.dataset import Dataset
from core.data.shape import image_shape
from core.run.spec import DataSpec


def loaded(spec: DataSpec) -> Dataset:
    """The images of ``spec``; reading a person's zip takes a moment and is then remembered."""
    if spec.path is not None:  # the form says its side and channels, a link may not: the same images
        shape = image_shape(spec)
        spec = spec.model_copy(update={"side": shape.side, "channels": shape.channels})
    return _load(spec.model_dump_json(include={"name", "path", "side", "channels"}))


@st.cache_resource(max_entries=4, show_spinner="Reading the images…")
def _load(spec_json: str) -> Dataset:
    return load_dataset(DataSpec.model_validate_json(spec_json))
