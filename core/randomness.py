"""Random numbers that belong to one purpose, whatever else the process is doing.

Kornia and `torch.nn.functional.dropout` draw from torch's global generators and take no generator of
their own. So a caller seeds the global generator for a moment, under a lock, and puts it back: two
threads, a preview beside a run, or a step repeated after a resume can't disturb each other.

Seeds are derived from names and counters (`derive`), never from a running state: the draws of step
1,000 do not depend on the 999 before it, so a resumed run needs no saved generator.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_LOCK = threading.RLock()


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose, e.g. ``derive(spec.seed_of("dropout"), "dropout", step)``."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


@contextmanager
def private_draws(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Inside, torch's global generators (CPU, and ``device``'s) start from ``seed``; after, they are
    as they were. Held under one lock, so keep the body short: one forward pass, one draw.

    Cost on a CPU: about 10 microseconds.
    """
    device = torch.device(device)
    with _LOCK:
        cpu_state = torch.default_generator.get_state()
        cuda_state = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        torch.default_generator.manual_seed(seed)
        if cuda_state is not None:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        try:
            yield
        finally:
            torch.default_generator.set_state(cpu_state)
            if cuda_state is not None:
                torch.cuda.set_rng_state(cuda_state, device)


def generator(seed: int) -> torch.Generator:
    """A CPU generator of one's own, for functions that do take one."""
    return torch.Generator().manual_seed(seed)
