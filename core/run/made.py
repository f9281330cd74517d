"""What a run is told whose network is made of others' networks."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from core.run.digest import FROM
from core.run.spec import Name, Params, Part

MOST_SOURCES = 8
RunId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Made(Part):
    """How, by which parameters, and of which runs' networks; those lie in the run's own folder."""

    model_config = ConfigDict(populate_by_name=True)

    how: Name
    params: Params = Field(default_factory=dict)
    sources: Annotated[
        tuple[RunId, ...], Field(alias=FROM, min_length=1, max_length=MOST_SOURCES, strict=False)
    ]

    def inputs(self) -> dict[str, Any]:
        """As a job's inputs."""
        return self.model_dump(mode="json", by_alias=True)


def is_made(inputs: object) -> bool:
    """Whether a job with these inputs is told so."""
    return isinstance(inputs, Mapping) and FROM in inputs


MADE = "made.json"  # the inputs, beside a network that the command line has made


def weights_of(number: int) -> str:
    """The file in a run's folder with the weights of the ``number``-th network that it is made of; beside it
    lies that one's spec."""
    return f"from-{number}.safetensors"


def spec_of(number: int) -> str:
    return f"from-{number}.json"


def copy_sources(folder: Path, to: Path) -> None:
    """Put the networks that a run is made of, or taught by, into the folder of one that branches from it.

    Raises:
        OSError: they can't be put there.
    """
    for given in folder.glob("from-*"):
        if not (to / given.name).exists():
            shutil.copyfile(given, to / given.name)
