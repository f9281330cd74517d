"""An edit of a run in words: what was changed, from what to what, and when."""

from __future__ import annotations

from typing import Any

from core.run.events import Event
from core.run.spec import RunSpec
from core.steerable import dial_at
from core.text.refusals import place_in_words


def edit_in_words(event: Event, spec: RunSpec) -> str:
    """E.g. ``learning rate 0.001 → 0.0003, epochs 10 → 20``.

    Args:
        event: an ``edit`` event.
        spec: of its run, completed.
    """
    return ", ".join(
        f"{path_in_words(path, spec)} {value_in_words(event['was'].get(path))} → {value_in_words(value)}"
        for path, value in event["set"].items()
    )


def when_in_words(event: Event) -> str:
    """E.g. ``after step 320, epoch 2.5``."""
    within = f", epoch {event['epoch']:.2f}" if "epoch" in event else ""
    return f"after step {event['step']:,}{within}"


def value_in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return " to ".join(map(value_in_words, value))
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def path_in_words(path: str, spec: RunSpec) -> str:
    """E.g. ``learning rate``, ``λ of L1``: what a form calls the field at ``path`` of a completed spec."""
    dial = dial_at(spec, path)
    if dial is None:
        return place_in_words(path)
    return dial.label[:1].lower() + dial.label[1:] if not dial.label[:2].isupper() else dial.label
