"""A run's charts, each built once a version of the run and shared by all viewers.

A class of 30 that watches one run costs little more than one of them; and a chart is built only once
somebody looks at it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from core.figures.lineage import Ancestor, with_ancestor
from core.figures.marks import Marks, with_marks
from core.figures.parts import Figure
from core.jobs.views import RunView
from core.run.history import History
from pages.features.live.audience import is_alone

REMEMBERED = 32  # runs whose charts are kept
CHART_SECONDS = 0.5  # charts of a run are rebuilt at most this often, however many watch …
ALONE_CHART_SECONDS = 0.2  # … and for one viewer at each refresh


@dataclass(frozen=True, slots=True)
class _Shown:
    """A run at the version that is shown, and its charts so far, as JSON."""

    history: History
    since: float
    charts: dict[Hashable, str] = field(default_factory=dict)


_shown: dict[str, _Shown] = {}
_building = threading.Lock()


def shown_history(view: RunView) -> History:
    """The run as its charts show it now, at most half a second behind ``view``."""
    with _building:
        return _latest(view).history


def chart(
    view: RunView,
    draw: Callable[..., Figure],
    *settings: Hashable,
    marks: Marks = (),
    ancestor: Ancestor | None = None,
) -> str:
    """``draw(history, run_id, *settings)`` as JSON, from the last viewer's turn if that is still fresh.

    Args:
        marks: where the run was edited.
        ancestor: the run that it branches from.
    """
    with _building:
        shown = _latest(view)
        key = (draw, settings, tuple(marks), ancestor)
        if key not in shown.charts:
            figure = with_ancestor(draw(shown.history, view.id, *settings), ancestor, draw.__name__)
            shown.charts[key] = json.dumps(with_marks(figure, marks))
        return shown.charts[key]


def _latest(view: RunView) -> _Shown:
    now = time.monotonic()
    shown = _shown.pop(view.id, None)
    lasts = ALONE_CHART_SECONDS if is_alone(view.id) else CHART_SECONDS
    if shown is None or (shown.history.version != view.version and (view.ended or now - shown.since > lasts)):
        shown = _Shown(view.history, now)
    _shown[view.id] = shown
    while len(_shown) > REMEMBERED:
        del _shown[next(iter(_shown))]
    return shown
