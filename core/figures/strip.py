"""What a run's network says of the same few validation images, epoch after epoch."""

from __future__ import annotations

from typing import NamedTuple

from core.run.history import History


class Seen(NamedTuple):
    """One image: its class, the class that the network names, and the softmax's probability of that."""

    label: str
    answer: str
    confidence: float

    @property
    def right(self) -> bool:
        return self.label == self.answer


class SeenStrip(NamedTuple):
    """After epoch ``epoch``; before the first has ended there are the labels alone."""

    labels: list[str]
    epoch: int
    seen: list[Seen]


def seen_strip(history: History) -> SeenStrip:
    """Of the epoch that stands for the run."""
    started = history.started or {}
    classes = started.get("classes", [])
    labels = [_name(classes, label) for label in started.get("strip", {}).get("labels", [])]
    told = history.result
    if told is None or len(told.get("answers", {}).get("answers", [])) != len(labels):
        return SeenStrip(labels, 0, [])
    names = [_name(classes, answer) for answer in told["answers"]["answers"]]
    seen = [Seen(*each) for each in zip(labels, names, told["answers"]["confidence"], strict=True)]
    return SeenStrip(labels, told["epoch"], seen)


def _name(classes: list[str], i: int) -> str:
    return classes[i] if i < len(classes) else "?"  # a stored run may be damaged
