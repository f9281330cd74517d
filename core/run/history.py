"""A run's events, folded into what pages draw.

`HistoryBuilder` takes events one by one; `History` is what it knows at one moment, and never changes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from core.run.events import TERMINAL, Event, State
from core.run.lines import EMPTY_LINE, Line, ThinnedLine

# What a run of old says of its weights: it has no other word of the epoch that it kept.
_CHOSEN = re.compile(r"weights saved are those of epoch (\d+)\b")
_SAID_CHOSEN = re.compile(r"The weights saved are those of epoch \d+, the best\.")
TOLD_POINTS = 100  # of the epoch that is trained, beside those of the epochs that have ended
CURVE_POINTS = 24  # of a run, in a list of runs
RECENT_EPOCHS = 5  # the time left is estimated from these, so that a busy minute is forgotten


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. ``epoch`` is the one being trained, from 1; both epochs are 0 before a run
    has started. ``seconds_left`` is None where it can't be known, or there is nothing left to wait for."""

    share: float
    epoch: int
    epochs: int
    seconds_left: float | None
    images_per_second: float | None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What is known of a run.

    Args:
        version: rises with every event but ``batch``, which isn't kept: equal versions of a run draw
            equal charts, also when one was read back from the store.
        values: where a loss stopped being a number, see `core.train.divergence`; of another end none.
        epochs: the ``epoch`` events. ``started``, ``finished``, ``step`` and ``batch`` are the latest
            events of their kinds.
        loss: of each batch over the epochs done; of those that have ended all, of the one that is trained
            those that were told, at most 100.
        penalty, learning_rate: over the epochs done; these two and ``loss`` are thinned to 500 points.
        penalties, strengths: such a line for each kind of regulariser; a run of an older version has none.
        rows, edits, checkpoints: events of these kinds, in their order.
        artefacts: such events; of several with one name the latest.
        progress_event: the latest ``progress``, of a job that tells it.
        refused: the latest command that could not be obeyed.
        began, moved: when training began, or was last resumed, and when it last moved (seconds); None: not
            seen live. ``began_at`` and ``seen``: how many epochs were done and known then.
        resumed: after how many steps it went on, each time that it was cut.
    """

    version: int = 0
    state: State = "queued"
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    started: Event | None = None
    epochs: tuple[Event, ...] = ()
    finished: Event | None = None
    step: Event | None = None
    batch: Event | None = None
    loss: Line = EMPTY_LINE
    penalty: Line = EMPTY_LINE
    learning_rate: Line = EMPTY_LINE
    penalties: Mapping[str, Line] = field(default_factory=dict)
    strengths: Mapping[str, Line] = field(default_factory=dict)
    rows: tuple[Event, ...] = ()
    edits: tuple[Event, ...] = ()
    checkpoints: tuple[Event, ...] = ()
    artefacts: tuple[Event, ...] = ()
    progress_event: Event | None = None
    refused: Event | None = None
    began: float | None = None
    moved: float | None = None
    began_at: float = 0.0
    seen: int = 0
    resumed: tuple[int, ...] = ()

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    @property
    def branches(self) -> bool:
        """Whether it went on from another run's checkpoint."""
        return bool((self.started or {}).get("begins_at"))

    @property
    def validation_images(self) -> int | None:
        """How many images the run is judged by; None: that is not known."""
        return (self.started or {}).get("validation_images") or None

    @property
    def result(self) -> Event | None:
        """The epoch that stands for the run: the one whose weights are saved. That is the last, unless a
        regulariser chose another by the validation images; while the run is live, the last so far."""
        chosen = (self.finished or {}).get("result", {}).get("epoch")
        if chosen is None and (said := _CHOSEN.search(self.reason)):
            chosen = int(said[1])
        last = self.epochs[-1] if self.epochs else None
        return next((event for event in self.epochs if event["epoch"] == chosen), last)

    @property
    def is_chosen(self) -> bool:
        """Whether the result is another epoch than the last."""
        return self.result is not None and self.result is not self.epochs[-1]

    @property
    def reason_beside_choice(self) -> str:
        """The reason, without the sentence that says which epoch was chosen, where `is_chosen` says it."""
        return _SAID_CHOSEN.sub("", self.reason).strip() if self.is_chosen else self.reason

    @property
    def diverged(self) -> tuple[int, float] | None:
        """The step at which a loss stopped being a number, and how many epochs were done by it; None: none
        did, or a run of an older version did not say."""
        step, epoch = self.values.get("step"), self.values.get("epoch")
        return (step, float(epoch)) if isinstance(step, int) and isinstance(epoch, int | float) else None

    @property
    def total_epochs(self) -> int:
        """How many epochs the run is to have, edits and all; 0 before it has started."""
        changed = [event["set"]["train.epochs"] for event in self.edits if "train.epochs" in event["set"]]
        return int(changed[-1] if changed else (self.started or {}).get("epochs", 0))

    def epochs_done(self) -> float:
        """Epochs done so far, with the part of the current one."""
        by_steps = self.step["epoch"] if self.step else 0.0
        return float(max(by_steps, self.epochs[-1]["epoch"] if self.epochs else 0.0, self.began_at))

    def progress(self, now: float) -> Progress:
        """How far the run is at ``now``, by the clock that `HistoryBuilder.add` was told the time of."""
        if self.started is None:
            return self._told_progress(now)
        total = self.total_epochs
        done = min(self.epochs_done(), float(total))
        seconds_left = None
        if not self.ended and (pace := self._seconds_an_epoch(done)) is not None:
            since = now - self.moved if self.moved is not None and self.state != "paused" else 0.0
            seconds_left = max((total - done) * pace - max(since, 0.0), 0.0)
        current = math.ceil(done) if self.ended else math.floor(done) + 1
        share = 1.0 if self.state == "finished" else done / total
        return Progress(share, min(current, total), total, seconds_left, self._images_per_second(done))

    def _told_progress(self, now: float) -> Progress:
        """What a job that counts no epochs says of itself."""
        told = self.progress_event
        if told is None:
            return Progress(0.0, 0, 0, None, None)
        share = 1.0 if self.state == "finished" else min(1.0, told["done"] / told["of"])
        seconds_left = None if self.ended else told.get("seconds_left")
        if seconds_left is not None and self.moved is not None:
            seconds_left = max(0.0, seconds_left - max(0.0, now - self.moved))
        return Progress(share, 0, 0, seconds_left, None)

    def _seconds_an_epoch(self, done: float) -> float | None:
        """Of those since it was last resumed; before there is one, by its steps since then."""
        since_then = self.epochs[self.seen :]
        if recent := since_then[-RECENT_EPOCHS:]:
            # The first may have begun before: its seconds are those of the rest of it.
            before = self.began_at % 1 if len(recent) == len(since_then) else 0.0
            return float(sum(epoch["seconds"] for epoch in recent) / (len(recent) - before))
        since = done - self.began_at
        if self.began is None or self.moved is None or since <= 0 or self.moved <= self.began:
            return None
        return (self.moved - self.began) / since

    def _images_per_second(self, done: float) -> float | None:
        if self.epochs:
            rate = self.epochs[-1]["images_per_second"]
            return None if rate is None else float(rate)
        pace = self._seconds_an_epoch(done)
        assert self.started is not None
        return None if pace is None else self.started["train_images"] / pace


class HistoryBuilder:
    """Events in, `History` out: each event costs O(1) on average, however long the run."""

    def __init__(self) -> None:
        self._latest: dict[str, Any] = {"version": 0, "state": "queued", "reason": ""}
        self._epochs: list[Event] = []
        self._told = ThinnedLine(TOLD_POINTS)  # batches of the epoch that has not ended
        self._lines = {name: ThinnedLine() for name in ("loss", "penalty", "learning_rate")}
        self._by_kind: dict[str, dict[str, ThinnedLine]] = {"penalties": {}, "strengths": {}}
        self._lists: dict[str, list[Event]] = {"row": [], "edit": [], "checkpoint": []}
        self._artefacts: dict[str, Event] = {}
        self._history: History | None = None

    def add(self, event: Event, now: float | None = None, *, version: int | None = None) -> None:
        """Take one event in.

        Args:
            now: when it happened; None if that isn't known, as for a stored event.
            version: the event's number in the store; None: the next.
        """
        self._history = None
        kind = event["event"]
        if kind == "batch":
            self._latest["batch"] = event
            return
        self._latest["version"] = version or self._latest["version"] + 1
        if kind == "state":
            self._latest |= {
                "state": event["state"],
                "reason": event.get("reason", ""),
                "values": event.get("values", {}) if event.get("code") == "diverged" else {},
            }
        elif kind == "resumed":
            self._latest["resumed"] = (*self._latest.get("resumed", ()), event["step"])
            self._cut(event)
        elif kind == "epoch":
            self._end_epoch(event)
        elif kind in ("started", "step", "finished", "refused"):
            self._latest[kind] = event
        elif kind == "progress":
            self._latest["progress_event"] = event
        elif kind in self._lists:
            self._lists[kind].append(event)
        elif kind == "artefact":
            self._artefacts[event["name"]] = event
        if kind in ("started", "resumed"):
            self._latest["began"] = now
            self._latest["began_at"] = event.get("epoch", event.get("begins_epoch", 0.0))
            self._latest["seen"] = len(self._epochs)
        if kind in ("started", "resumed", "step", "epoch", "progress"):
            self._latest["moved"] = now
        if kind == "step":
            _add(self._told, event["epoch"], event["loss"])
            for name, line in self._lines.items():
                if name != "loss":
                    _add(line, event["epoch"], event[name])
        if kind in ("step", "epoch"):  # a fast run has epochs without a step that was told
            for name, lines in self._by_kind.items():
                for regulariser, value in event.get(name, {}).items():
                    _add(lines.setdefault(regulariser, ThinnedLine()), event["epoch"], value)

    def _end_epoch(self, event: Event) -> None:
        """Every batch of an epoch is known at its end; until then those that were told stand for them."""
        batches = event.get("batch_losses")
        if batches:
            # The epoch's own line replaces what was told of it, which depended on the clock.
            before = self._steps_before()
            per_epoch = max(1, event["step"] - before)
            steps = [event["epoch"] - 1 + (step - before) / per_epoch for step in batches["steps"]]
            told = Line(tuple(steps), tuple(batches["losses"]))
        else:  # an older run
            told = self._told.line()
        for epoch, loss in zip(*told, strict=True):
            _add(self._lines["loss"], epoch, loss)
        self._told = ThinnedLine(TOLD_POINTS)
        if self._epochs:  # a picture that is shown of the last epoch only
            self._epochs[-1] = {key: value for key, value in self._epochs[-1].items() if key != "confusion"}
        self._epochs.append({key: value for key, value in event.items() if key != "batch_losses"})

    def _steps_before(self) -> int:
        """How many steps were done when the epoch that ends now began."""
        if self._epochs:
            return int(self._epochs[-1]["step"])
        return int((self._latest.get("started") or {}).get("begins_at", 0))

    def _cut(self, event: Event) -> None:
        """The run goes on from its checkpoint: forget what it told after that."""
        self._epochs = [each for each in self._epochs if each["step"] <= event["step"]]
        self._told.cut(event["epoch"])
        del self._lists["edit"][event["edits"] :]
        kept = [each for each in self._lists["checkpoint"] if each["step"] <= event["step"]]
        self._lists["checkpoint"] = kept
        if event["step"] <= (self._latest.get("started") or {}).get("begins_at", 0):
            self._lists["row"] = []  # from the start: it tells all of them again
        lines = [
            *self._lines.values(),
            *(line for lines in self._by_kind.values() for line in lines.values()),
        ]
        for line in lines:
            line.cut(event["epoch"])
        step = self._latest.get("step")
        if step is not None and step["step"] > event["step"]:
            self._latest["step"] = {**step, "step": event["step"], "epoch": event["epoch"]}
        self._latest["finished"] = None

    def knows(self, event: Event) -> bool:
        """Whether an ``epoch`` event has been added before; of a run that is resumed, some are told again."""
        return event["event"] == "epoch" and bool(self._epochs) and event["step"] <= self._epochs[-1]["step"]

    @property
    def version(self) -> int:
        return int(self._latest["version"])

    def history(self) -> History:
        """What is known now: the same object until the next event."""
        if self._history is None:
            lines: dict[str, Any] = {name: line.line() for name, line in self._lines.items()}
            lines["loss"] = _joined(lines["loss"], self._told.line())
            for name, by_kind in self._by_kind.items():
                lines[name] = {kind: line.line() for kind, line in by_kind.items()}
            lists: dict[str, Any] = {f"{kind}s": tuple(events) for kind, events in self._lists.items()}
            lists["artefacts"] = tuple(self._artefacts.values())
            self._history = History(**self._latest, **lines, **lists, epochs=tuple(self._epochs))
        return self._history


def _joined(before: Line, after: Line) -> Line:
    return Line(before.x + after.x, before.y + after.y)


def _add(line: ThinnedLine, epoch: float, value: float | None) -> None:
    if value is not None and math.isfinite(value):
        line.add(epoch, value)


def build_history(numbered: Iterable[tuple[int, Event]]) -> HistoryBuilder:
    """A run's stored events, folded."""
    folded = HistoryBuilder()
    for number, event in numbered:
        folded.add(event, version=number)
    return folded


def edits_json(history: History) -> str:
    """The run's edits, as ``python -m core run --edits`` reads them."""
    return json.dumps([{"step": each["step"], "set": each["set"]} for each in history.edits], indent=2) + "\n"


def summary(history: History) -> dict[str, Any] | None:
    """The figures that a list of runs shows, without the layers; None before the first epoch's end."""
    if not history.epochs:
        return None
    return {
        "epochs": history.epochs[-1]["epoch"],
        "result": _without_layers(history.result or {}),
        "last": _without_layers(history.epochs[-1]),
        "curve": [each["validation_accuracy"] for each in evenly(history.epochs, CURVE_POINTS)],
        "epoch_seconds": median(float(each.get("seconds") or 0.0) for each in history.epochs),
        **_beside(history),
        **({"validation_images": history.validation_images} if history.validation_images else {}),
    }


def _beside(history: History) -> dict[str, float]:
    """What a run took beside its epochs: to read its images, to build its network, to say what it does."""
    ended = history.finished
    if ended is None or history.resumed or "load_seconds" not in ended:
        return {}
    trained = sum(float(each.get("seconds") or 0.0) for each in history.epochs)
    return {"beside_seconds": ended["load_seconds"] + max(0.0, ended["seconds"] - trained)}


def evenly(events: Sequence[Event], most: int) -> list[Event]:
    """At most ``most`` of the events, evenly spread, the first and the last among them."""
    if len(events) <= most:
        return list(events)
    return [events[round(i * (len(events) - 1) / (most - 1))] for i in range(most)]


_LARGE = ("weights", "filters", "flow", "right", "answers", "confusion")


def _without_layers(epoch: Event) -> Event:
    kept = {key: value for key, value in epoch.items() if key not in _LARGE}
    return {**kept, "sparsity": {**epoch["sparsity"], "layers": {}}}
