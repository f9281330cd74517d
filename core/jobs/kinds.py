"""Kinds of jobs: what can be put in the queue, and where the function lies that computes it.

Such a function has the signature ``run(spec, inputs, control, out)`` and yields events (`core.run.events`):
any of ``progress``, ``row`` and ``artefact``, and a last ``state``. It is imported where it runs, so that a
server that only queues jobs loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.catalogue import Entry
from core.run.kinds import TRAIN, TRANSFORM, is_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Entry):
    """A kind of job.

    Args:
        run: the path of its function, ``module:name``.
        quick: a person waits for it, so it has a place of its own beside the runs that train.
        travels: any machine can compute it from its spec, its inputs and its own folder: it reads neither the
            database nor what other runs have left.
    """

    run: str
    quick: bool = False
    travels: bool = False
    source: str = ""


QUICK_SLOTS = 1  # how many quick jobs are computed at a time on a machine

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name=TRAIN,
            title="Training",
            help="Trains the network that a spec describes, and measures it after every epoch.",
            run="core.train.job:run",
            travels=True,
        ),
        Kind(
            name=TRANSFORM,
            title="A network made of others",
            help="Makes a network of one or several trained ones, and measures it. One that is trained on is "
            "a run of the other kind, which begins so.",
            run="core.transform.job:run",
            quick=True,
            travels=True,
        ),
        Kind(
            name="probe.cost",
            title="What augmentation costs",
            help="Times each operation of a pipeline, and a training step beside it.",
            run="core.probe.cost:run",
            quick=True,
            travels=True,
        ),
        Kind(
            name="probe.label_damage",
            title="Does it lie?",
            help="Asks a trained network about validation images after each operation of a pipeline.",
            run="core.probe.label_damage:run",
            quick=True,
        ),
        Kind(
            name="probe.rate_range",
            title="Learning-rate range test",
            help="Trains one epoch in which the learning rate rises, and notes the loss at each.",
            run="core.probe.rate_range:run",
            quick=True,
            source="Smith 2017, arXiv 1506.01186",
        ),
        Kind(
            name="study.path_point",
            title="One λ of a path",
            help="Goes on from a warm start for a few epochs at one strength of one regulariser.",
            run="core.study.strength_path:run",
            quick=True,
            travels=True,
        ),
        Kind(
            name="export",
            title="A file to take away",
            help="Writes a run, or several, as a kind of file.",
            run="core.export.job:run",
            quick=True,
        ),
    )
}


# What a person waits for and has then seen; of a run he keeps the network.
PASSING = tuple(name for name, kind in KINDS.items() if kind.quick and not is_run(name))


def is_quick(kind: str) -> bool:
    """Whether a kind is quick; one that is gone was not."""
    return kind in KINDS and KINDS[kind].quick
