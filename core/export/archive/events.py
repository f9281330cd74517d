"""The events of an archived run: each is one that a run tells, its numbers are of a size that pages can draw,
and together they make sense."""

from __future__ import annotations

import binascii
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from core.export.archive.form import MAX_WHOLE, refused, same_json
from core.run.edits import Edit, apply, read_edits
from core.run.errors import SpecError
from core.run.events import MAX_EVENT_BYTES, Event, read_event
from core.run.figures import Strip
from core.run.history import History, HistoryBuilder
from core.run.spec import RunSpec
from core.store.store import MAX_EVENTS
from core.text.edits import edit_in_words
from core.text.run_figures import figures

# What a run that trains tells. A `batch` is shown and not kept; the rest belongs to other kinds of jobs.
KINDS = ("state", "started", "resumed", "step", "epoch", "finished", "edit", "checkpoint", "refused")
MAX_CLASSES = 1_000
MAX_STRIP_SIDE = 256  # pixels; and as many images as a `Strip` may have labels
MOST_IN_STRIP = 24
PNG = b"\x89PNG\r\n\x1a\n"

# What values that are none of a run's may raise where they are added up and drawn.
_SENSELESS = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)


def read_lines(content: bytes, where: str) -> list[str]:
    """The events of a file as the store keeps them: JSON texts, each of which `read_event` reads.

    Raises:
        SpecError: a line is no event of a run.
    """
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise refused(f"{where} is no text") from None
    if lines.pop():
        raise refused(f"{where} is cut short")
    if len(lines) > MAX_EVENTS:
        raise refused(f"{where} has {len(lines):,} events; at most {MAX_EVENTS:,} are kept of a run")
    return [_kept(line, f"{where}, line {i:,}") for i, line in enumerate(lines, 1)]


def as_line(event: Event) -> str:
    """An event as a line of the file, and as the store keeps it."""
    return json.dumps(event, allow_nan=False)


def fold(events: Sequence[str], where: str) -> History:
    """What the events, as `read_lines` gives them, add up to.

    Raises:
        SpecError: they make no sense together.
    """
    try:
        builder = HistoryBuilder()
        for event in map(read_event, events):
            builder.add(event)
        history = builder.history()
        for said in _contradictions(history):
            raise refused(f"{where} contradicts itself: {said}")
    except SpecError:
        raise
    except _SENSELESS:
        raise refused(f"{where} does not add up to a run") from None
    return history


def check_edits(content: bytes, history: History, spec: RunSpec, where: str) -> list[Edit]:
    """The run's edits: what a file says of them is what its events say.

    Args:
        spec: completed.

    Raises:
        SpecError: they are not the same, or are none of this spec.
    """
    made: list[Edit] = [{"step": each["step"], "set": dict(each["set"])} for each in history.edits]
    try:
        agrees = same_json(read_edits(content), made)
    except (SpecError, UnicodeDecodeError):
        raise refused(f"{where} is no list of edits") from None
    if not agrees:
        raise refused(f"{where} is not what the events say was changed")
    try:
        for event in history.edits:
            edit_in_words(event, spec)
            with suppress(SpecError):  # of another version
                spec = apply(spec, event)
    except _SENSELESS:
        raise refused(f"{where} changes what can't be changed so") from None
    return made


def strip_png(strip: Strip) -> bytes:
    """The picture of the validation images that a run shows.

    Raises:
        SpecError: it is no PNG, or one that would take much memory to draw.
    """
    try:
        content = binascii.a2b_base64(strip["images"], strict_mode=True)
        width, height = struct.unpack(">II", content[16:24])
    except (ValueError, struct.error):
        raise refused("the images that it shows are no picture") from None
    if content[:8] != PNG or content[12:16] != b"IHDR":
        raise refused("the images that it shows are no picture")
    if not (0 < height <= MAX_STRIP_SIDE and 0 < width <= MAX_STRIP_SIDE * MOST_IN_STRIP):
        raise refused(f"the images that it shows are a picture of {width:,} by {height:,} pixels")
    return content


def _kept(line: str, where: str) -> str:
    try:
        if len(line) > MAX_EVENT_BYTES:
            raise ValueError("it is too long")
        json.loads(line, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
        event = read_event(line)
        text = as_line(event)
        if len(text) > MAX_EVENT_BYTES or read_event(text) != event:
            raise ValueError("it does not read back as it is")
    except _SENSELESS:  # pydantic's errors are ValueErrors
        raise refused(f"{where}, is no event") from None
    if event["event"] not in KINDS:
        raise refused(f"{where}, is an event that no run tells")
    return text


def _whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_WHOLE:
        raise ValueError("a number is too large")
    return int(text)


def _finite(text: str) -> float:
    if not abs(value := float(text)) <= 1e300:  # NaN compares with nothing
        raise ValueError("a number is not finite")
    return value


def _contradictions(history: History) -> Iterator[str]:
    """What can't be true of one run."""
    started: Mapping[str, Any] = history.started or {}
    classes = started.get("classes", [])
    if history.epochs and not started:
        yield "it has epochs and was never started"
    if len(classes) > MAX_CLASSES or any(len(name) > MAX_CLASSES for name in classes):
        yield "it has too many classes"
    labels = started.get("strip", {}).get("labels", [])
    if any(label >= len(classes) for label in labels):
        yield "an image is of a class that it has not"
    epoch, step = -1, 0  # a network that was made of others is judged before its first epoch, too
    for event in history.epochs:
        if not (event["epoch"] > epoch and event["step"] >= step):
            yield f"epoch {event['epoch']} comes after epoch {epoch}"
        epoch, step = event["epoch"], event["step"]
        shares = [event[f"{name}_accuracy"] for name in ("train", "validation")]
        if not all(0 <= share <= 1 for share in shares):
            yield f"an accuracy of epoch {epoch} is no share"
        if set(event["sparsity"]["layers"]) != set(history.epochs[0]["sparsity"]["layers"]):
            yield f"the layers of epoch {epoch} are not those of the first"
        if any(answer >= len(classes) for answer in event.get("answers", {}).get("answers", ())):
            yield f"an answer of epoch {epoch} is a class that it has not"
        if len(event.get("confusion", classes)) != len(classes):
            yield f"the confusions of epoch {epoch} are not of its classes"
        figures(event, started)
    history.progress(0.0)
    _ = history.diverged
