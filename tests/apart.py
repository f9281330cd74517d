"""What needs an event loop of its own: browser tests leave one running in the main thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def apart(do: Callable[[], T]) -> T:
    """What ``do`` returns, or raises, called in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do).result()


def played(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to, in a loop of its own."""
    return apart(lambda: asyncio.run(coroutine))
