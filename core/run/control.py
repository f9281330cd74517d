"""What a person may ask of a run while it trains."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Control:
    """Looked at once a batch, so that whatever is asked happens within one batch."""

    stop: threading.Event = field(default_factory=threading.Event)
