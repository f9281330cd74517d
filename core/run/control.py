"""What a person may ask of a run while it trains."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Control:
    """Looked at once a batch, so that whatever is asked happens within one batch.

    Args:
        stop: set once the run is to end.
        commands: whatever else was asked, in its order, each ``{"command": name, …}``.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    commands: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)

    def put(self, command: dict[str, Any]) -> None:
        """Ask for something; any thread may."""
        if command.get("command") == "stop":
            self.stop.set()
        else:
            self.commands.put(command)
