"""Answers that several visitors ask for within a minute: a class that opens one preset costs one answer."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from typing import Any

MOST_BYTES = 64 * 2**20
KEPT_SECONDS = 60.0  # a person's own folder may change


class KeptAnswers:
    """Bounded by bytes and by age; what was used longest ago goes first. Thread-safe."""

    def __init__(self, most_bytes: int = MOST_BYTES, seconds: float = KEPT_SECONDS) -> None:
        self._most_bytes, self._seconds = most_bytes, seconds
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[dict[str, Any], int, float]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            if key not in self._answers:
                return None
            answer, _, kept_at = self._answers[key]
            if time.monotonic() - kept_at > self._seconds:
                self._forget(key)
                return None
            self._answers.move_to_end(key)
            return answer

    def keep(self, key: str, answer: dict[str, Any]) -> None:
        size = len(key) + len(json.dumps(answer))
        with self._lock:
            if key in self._answers:
                self._forget(key)
            self._answers[key] = answer, size, time.monotonic()
            self._bytes += size
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._answers)))

    def _forget(self, key: str) -> None:
        self._bytes -= self._answers.pop(key)[1]
