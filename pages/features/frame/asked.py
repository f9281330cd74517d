"""What a visitor asks of a run that is there: in his own name, so that core can refuse it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.jobs.rights import may_control, opens
from core.jobs.views import RunView
from core.run.errors import SpecError
from pages.features.frame.refused import refuse
from pages.features.frame.visitor import CONTROL, asker


def may_change(view: RunView) -> bool:
    """Whether this visitor may steer the run: what is not his to do is not offered."""
    return may_control(view, asker())


def control_note(view: RunView) -> None:
    """Say so if the control link by which somebody came is not the run's."""
    if (key := st.query_params.get(CONTROL)) and not opens(view, key) and not may_change(view):
        st.warning(
            "This control link opens nothing any more: there is a newer one. You can watch.",
            icon=":material/key_off:",
        )


def obeyed(action: Callable[..., Any], *arguments: Any) -> bool:
    """Have `Jobs` do something for this visitor, as ``obeyed(jobs().stop, run_id)``. False: it was refused,
    and the page's `refusal` says why."""
    try:
        action(*arguments, asker=asker())
    except SpecError as error:
        refuse(error)
        return False
    return True


def ask(action: Callable[..., Any], *arguments: Any) -> None:
    """`obeyed`, for a button's ``on_click``."""
    obeyed(action, *arguments)
