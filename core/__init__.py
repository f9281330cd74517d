"""Augury without its pages: nothing in here knows Streamlit.

The environment is prepared here, because torch reads it as it loads and any module of `core` may be the
first that imports torch.
"""

from core.runtime import prepare_environment

prepare_environment()

__version__ = "0.1.0"  # as in pyproject.toml
