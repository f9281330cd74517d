"""Training as a kind of job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.run.commands import Control
from core.run.events import Event
from core.run.spec import RunSpec
from core.train import loop


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Train ``spec``; it needs no ``inputs``. Somebody may watch, so the images of some batches are shown."""
    return loop.run(spec, control, out=out, watch=True)
