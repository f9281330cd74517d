"""What was drawn and computed before, kept for a moment: a slider move computes only what it changes.

What an operation draws follows from its name, settings, stream, seed, step and the images' shape
alone; what an image looks like after some operations follows from the image and those draws. So both can be
kept under exactly these, and what is found is bit for bit what would be computed anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from torch import Tensor


class Reuse:
    """Tensors by key, the longest unused dropped first when they exceed ``max_bytes``.

    Threads and pipelines may share one. What is kept must not be changed by those who get it.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self.max_bytes, self.bytes = max_bytes, 0
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def find(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """What is kept under ``key``; if nothing is, what ``compute`` gives: a tensor, or what holds some.

        One thing alone that is more than may be kept is not kept, nor anything dropped for it.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = compute()  # not under the lock: two threads may compute the same, none waits
        if _bytes(value) <= self.max_bytes:
            with self._lock:
                self.bytes += _bytes(value) - _bytes(self._kept.pop(key, ()))
                self._kept[key] = value
                while self.bytes > self.max_bytes:
                    self.bytes -= _bytes(self._kept.popitem(last=False)[1])
        return value


NOTHING = Reuse(max_bytes=0)
"""Keeps nothing: all is computed anew."""


def _bytes(value: Any) -> int:
    """The memory behind the tensors; an expanded one (one value seen many times) counts as it is held."""
    if isinstance(value, Tensor):
        return value.untyped_storage().nbytes()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return sum(map(_bytes, parts))
