"""The one manager of studies of this server."""

from __future__ import annotations

from core.study.shared import shared_studies
from core.study.studies import Studies


def studies() -> Studies:
    """Shared by all visitors, and in no cache of Streamlit's."""
    return shared_studies()
