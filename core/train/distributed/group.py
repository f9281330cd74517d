"""Processes that train one run together, as the training step sees them.

Each computes its part of a batch (`share`); the gradients are brought together by torch's
`DistributedDataParallel` while the backward pass goes on. All then make the same step, so that their weights
stay the same to the bit. On CPUs they talk by gloo, over this machine's own loopback interface and nothing
else; on GPUs by NCCL.

All that a process hands to the others is counted here, where it is handed over.
"""

from __future__ import annotations

import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import psutil
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook, bf16_compress_hook
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from core.randomness import private_draws
from core.run.errors import SpecError
from core.runtime import most_processes, thread_count
from core.train.alone import Alone
from core.train.distributed.share import Share
from core.train.distributed.whole_batch import WholeBatch
from core.train.session import Session

PATIENCE = timedelta(
    minutes=5
)  # for one exchange: a process that died is noticed at once, one that hangs then


class Group(Alone):
    """This process among those that train a run. To be closed.

    Args:
        share: which of them it is.
        meeting: a file that all of them know, and nobody else.
    """

    def __init__(self, session: Session, share: Share, meeting: Path) -> None:
        self.share, self.processes = share, share.processes
        self._exchanged, self._judging = 0, False
        self._excepthook = sys.excepthook  # torch puts its own in its place
        _join(session.device, share, meeting)
        self.network = self._distributed(session)
        self._exchanged = 0

    def close(self) -> None:
        """Leave the others."""
        dist.destroy_process_group()
        sys.excepthook = self._excepthook

    def rows(self, size: int) -> Tensor | None:
        return None if self._judging else self.share.rows(size)

    def targets(self, targets: Tensor, size: int) -> Tensor:
        if self._judging:
            return targets
        rows = self.share.rows(size)[: max(1, self.share.count(size))]  # of none one: it is weighed by 0
        return targets[rows.to(targets.device)]

    def as_whole(self, size: int) -> AbstractContextManager[object]:
        return WholeBatch(self.share, size, self)

    def over_batch(self, loss: Tensor, logits: Tensor, targets: Tensor, size: int) -> tuple[Tensor, Tensor]:
        count = self.share.count(size)
        _, correct = super().over_batch(loss, logits, targets, size)
        told = torch.stack([loss.double() * count, correct.double()])
        total = self.add(told if count else torch.zeros_like(told))
        return (total[0] / size).to(loss.dtype), total[1].round().long()

    def to_minimise(self, loss: Tensor, size: int) -> Tensor:
        return loss * self.share.weight(size)

    def take_exchanged(self) -> int | None:
        taken, self._exchanged = self._exchanged, 0
        return taken

    @contextmanager
    def judging(self) -> Iterator[None]:
        """With the others' threads, too: they wait."""
        before = torch.get_num_threads(), self._judging
        torch.set_num_threads(thread_count())
        self._judging = True
        try:
            yield
        finally:
            threads, self._judging = before
            torch.set_num_threads(threads)

    def gather(self, values: Tensor) -> Tensor:
        """The ``values`` (K,) of each process: (processes, K), the same in all."""
        self._exchanged += values.numel() * values.element_size()
        parts = [torch.empty_like(values) for _ in range(self.processes)]
        dist.all_gather(parts, values.contiguous())
        return torch.stack(parts)

    def add(self, values: Tensor) -> Tensor:
        """Their sum, the same in all."""
        self._exchanged += values.numel() * values.element_size()
        dist.all_reduce(values)
        return values

    def _distributed(self, session: Session) -> nn.Module:
        """The network, whose gradients are those of all processes once a backward pass is over."""
        model, compress = session.model, session.spec.train.gradient_precision == "bfloat16"
        # Buffers are the same in all: batch norm's statistics are of the whole batch.
        network = DistributedDataParallel(model, forward_sync_buffers=False, gradient_as_bucket_view=True)
        network.register_comm_hook(compress, lambda compress, bucket: self._average(compress, bucket))
        # After the first backward pass torch sorts the gradients anew for the exchange, in the order in which
        # they came. With three processes or more that order decides last bits, and a resumed run must have it
        # from its first step on: so here is a pass that counts for nothing.
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        images = torch.zeros(2, session.train.channels, session.train.side, session.train.side)
        # Of a filter with one channel torch can't tell in which order it lies in memory, and says so.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        with private_draws(0, session.device):
            network(session.normalised(images.to(session.device))).sum().backward()
        model.zero_grad(set_to_none=True)
        model.train()
        return network

    def _average(self, compress: bool, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
        """The mean over all processes of some gradients."""
        self._exchanged += bucket.buffer().numel() * (2 if compress else 4)
        hook = bf16_compress_hook if compress else allreduce_hook
        world = dist.group.WORLD
        assert world is not None, "it has met the others"
        averaged: torch.futures.Future[Tensor] = hook(world, bucket)
        return averaged


def check_processes(processes: int, device: torch.device) -> None:
    """Whether this machine can have so many.

    Raises:
        SpecError: it has fewer processors.
    """
    if device.type == "cuda":
        most, what = torch.cuda.device_count(), "CUDA device"
    else:
        most, what = most_processes(), "processor core"
    if processes > most:
        has = f"{most} {what}{'s' if most != 1 else ''}"
        raise SpecError("train.processes", f"this machine has {has}; choose at most {most}.")


def _join(device: torch.device, share: Share, meeting: Path) -> None:
    """Meet the others.

    Raises:
        SpecError: this process trains another run together with others.
    """
    if dist.is_initialized():
        raise SpecError(
            "train.processes",
            "another run trains with several processes here; wait until it has ended, or choose 1.",
        )
    loopback = _loopback()
    os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = loopback
    store = dist.FileStore(str(meeting), share.processes)  # no port that anybody could reach
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(
        backend, store=store, rank=share.rank, world_size=share.processes, timeout=PATIENCE
    )


def _loopback() -> str:
    """The name of this machine's own interface, 127.0.0.1, which no other machine reaches."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.family == socket.AF_INET and each.address == "127.0.0.1" for each in addresses):
            return name
    raise SpecError("train.processes", "this machine has no loopback interface; choose 1.")
