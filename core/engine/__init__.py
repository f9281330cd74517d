"""The training loop, its events and its controls."""

from core.engine.batching import batches
from core.engine.control import Control
from core.engine.evaluation import as_kept, evaluate
from core.engine.events import MEASURED_TIMES, TERMINAL, Event, State, state
from core.engine.loop import run
from core.engine.measuring import PRUNABLE_SHARE, prunable_cost, prunable_every
from core.engine.session import Session, device_of, epoch_order, open_session

__all__ = [
    "MEASURED_TIMES",
    "PRUNABLE_SHARE",
    "TERMINAL",
    "Control",
    "Event",
    "Session",
    "State",
    "as_kept",
    "batches",
    "device_of",
    "epoch_order",
    "evaluate",
    "open_session",
    "prunable_cost",
    "prunable_every",
    "run",
    "state",
]
