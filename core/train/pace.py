"""How often something happens that takes time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Says when something that happens at most every ``seconds`` is due; the first time always is.

    Args:
        share: of the time that it may take, if that is told by `took`; in (0, 1].
    """

    seconds: float
    share: float = 1.0
    last: float = field(default=float("-inf"))

    def due(self) -> bool:
        now = time.perf_counter()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True

    def took(self, seconds: float) -> None:
        """What was due took so long; what takes long is due again later."""
        self.last += max(0.0, seconds / self.share - self.seconds)
