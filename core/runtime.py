"""How torch is set up in a process, before the first tensor: threads, waiting, determinism.

How OpenMP's threads wait is read from the environment when torch loads, so `prepare_environment` comes
before torch's import. With active waiting two threads collapse as soon as anything else on the machine
runs; with none, each of the hundreds of small operations of a step waits 50 µs for a thread to wake up.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import MutableMapping

# Looks for work before a thread of libgomp, torch's OpenMP on Linux, goes to sleep: about as long as waking
# it up takes, so that waiting never costs more than twice the better choice. A step of the default CNN on
# two cores, ms, alone / beside a process that takes 30 % of a core / 100 %: with 0 spins 49 / 62 / 86, with
# 2,000 42 / 55 / 89, with 6,000 44 / 56 / 107, with 100,000 43 / 56 / 272.
SPINS = 2000


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what torch reads from the environment as it loads; what a person has set stays."""
    if "OMP_WAIT_POLICY" not in environment:
        environment["OMP_WAIT_POLICY"] = "PASSIVE"
        environment.setdefault("GOMP_SPINCOUNT", str(SPINS))
    # cuBLAS is deterministic only with a fixed workspace (CUDA toolkit documentation, cuBLAS 2.1.4).
    environment.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def thread_count() -> int:
    """``AUGURY_THREADS``, or one thread for every core this process may use.

    One for a server that trains in a thread of its own: torch's threads are shared by all of a process,
    and pages that wait for a run's are slower than pages that compute alone.
    """
    chosen = os.environ.get("AUGURY_THREADS", "")
    if chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    if os.environ.get("AUGURY_EXECUTOR") == "thread":
        return 1
    return core_count()


def core_count() -> int:
    """How many processor cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def most_processes() -> int:
    """How many processes may train a run on this machine's processor: one a core, but two also on one core,
    so that it can be tried everywhere."""
    return max(2, core_count())


def prepare_torch() -> None:
    """Fix torch's thread count and, on CUDA, ask for deterministic kernels only."""
    import torch

    torch.set_num_threads(thread_count())
    _keep_memory()
    if torch.cuda.is_available():
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False


def _keep_memory() -> None:
    """Have glibc keep the memory of tensors that are gone, for the next ones.

    As it comes it returns each block over 32 MB to the system, which then clears every page of it anew:
    augmenting 128 images of 3×224×224 took 1.5 to 4.4 times as long. The price is that a process holds as
    much as it ever needed at once. See mallopt(3); other C libraries are left as they are.
    """
    trim_threshold, mmap_threshold = -1, -3  # as malloc.h numbers them
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "gnu_get_libc_version"):
        libc.mallopt(mmap_threshold, 2**30)
        libc.mallopt(trim_threshold, 2**31 - 1)
