"""One of the processes beside the first that train a run: ``python -m core.train.distributed.follower``.

What to do comes in on standard input, a JSON object a line. The first says which run it is: ``{"spec",
"rank", "processes", "threads", "meeting", "out", "resume", "start"}``. It is answered by ``{"ready":
true}`` or ``{"refused": why}``. Then it does what the first process does, in its order:

- ``{"spec": …}`` another spec from now on;
- ``{"begin": n}`` an epoch's batch size;
- ``{"epoch": n, "first": i}`` an epoch's batches, from the i-th on;
- ``{"step": k}`` the next of them;
- ``{"trained": share}`` an epoch is over.

When standard input ends, so does it.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from core.pipes import claim, end_with_parent, read, write
from core.run.errors import SpecError
from core.run.spec import parse
from core.runtime import prepare_torch

if TYPE_CHECKING:
    from core.train.batching import Batch
    from core.train.session import Session


def main() -> int:
    """Be such a process until standard input ends; the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches us too, but the first process decides
    end_with_parent()
    told, outbox = _told(claim(0, "rb")), claim(1, "wb")
    first = next(told)
    try:
        session = _prepared(first)
    except SpecError as error:
        write(outbox, {"refused": str(error)})
        return 0
    write(outbox, {"ready": True})

    from core.train.distributed.group import Group
    from core.train.distributed.share import Share

    session.together = Group(session, Share(first["rank"], first["processes"]), Path(first["meeting"]))
    _follow(session, told)
    return 0


def _prepared(first: Mapping[str, Any]) -> Session:
    """The run, where the first process has it.

    Raises:
        SpecError: it can't be trained.
    """
    import torch

    from core.train.loop import begun

    prepare_torch()
    torch.set_num_threads(first["threads"])
    if torch.cuda.is_available():
        torch.cuda.set_device(first["rank"])
    out, start = (None if first[name] is None else Path(first[name]) for name in ("out", "start"))
    session, _ = begun(parse(first["spec"]), out=out, resume=first["resume"], start=start)
    return session


def _follow(session: Session, told: Iterator[dict[str, Any]]) -> None:
    from core.train.batching import batches
    from core.train.divergence import DivergedError
    from core.train.step import train_step

    look = session.device.type == "cpu"  # as in `core.train.epoch`
    coming: Iterator[Batch] = iter(())
    session.model.train()
    for message in told:
        if "step" in message:
            batch = next(coming)
            assert batch.step == message["step"]
            size = len(batch.index)
            try:
                train_step(session, batch.images, batch.targets, batch.step, size=size, look=look)
            except DivergedError:  # the first process has seen the same, and tells of it
                continue
        elif "epoch" in message:
            coming = batches(session, message["epoch"], first=message["first"])
        elif "begin" in message:
            session.begin_epoch(message["begin"])
        elif "trained" in message:
            session.regularisation.epoch_trained(message["trained"])
        else:
            session.change(parse(message["spec"]))


def _told(inbox: BinaryIO) -> Iterator[dict[str, Any]]:
    """What the first process says. When it says no more this process ends, whatever it waits for: read by a
    thread of its own."""
    waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def listen() -> None:
        for message in read(inbox):
            waiting.put(message)
        os._exit(0)

    threading.Thread(target=listen, name="inbox", daemon=True).start()
    while True:
        yield waiting.get()


if __name__ == "__main__":
    sys.exit(main())
