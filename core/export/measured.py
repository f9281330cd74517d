"""What an export has measured of the networks that it has written: for who downloads it, and for the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.run.figures import Share
from core.transform.rows import Row

MEASURED = "measured.json"  # among an export's files: a network a name, and what holds for all of them
TABLE = "measured"


class Measured(Row):
    """A network: its file, how many of ``images`` validation images it names rightly, and microseconds an
    image, one at a time and many at once."""

    what: Annotated[str, Field(max_length=80)]
    bytes: Annotated[int, Field(ge=0, le=10**15)]
    accuracy: Share
    images: Annotated[int, Field(ge=1, le=10**9)]
    microseconds_alone: Annotated[float, Field(ge=0, le=1e300)]
    microseconds: Annotated[float, Field(ge=0, le=1e300)]


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """As rows of the table ``measured``, if an export has left its figures in ``folder``."""
    if not (folder / MEASURED).is_file():
        return
    told = json.loads((folder / MEASURED).read_text(encoding="utf-8"))
    for name, network in told.items():
        if isinstance(network, dict):
            row = Measured(what=name, images=told["validation_images"], **network)
            yield {"table": TABLE, **row.model_dump()}
