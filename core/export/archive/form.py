"""What an archive consists of, and how large each part may be.

    manifest.json           which runs, and the length and SHA-256 of every other file
    manifest.sha256         the SHA-256 of manifest.json, as ``sha256sum -c`` reads it
    index.html              a page for a person who has no Augury
    1/spec.json             of the first run: its spec as it began,
    1/edits.json            what was changed while it ran,
    1/events.jsonl          its events, one JSON object a line,
    1/weights.safetensors   the network that it has left, if it has left one,
    images/1-strip.png      and the validation images that its page shows, side by side, if it kept some

The digests show that a file is what was written. They can't show that whoever wrote it has told the truth.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from core.export.catalogue import MOST_RUNS
from core.run.digest import FROM, canonical
from core.run.errors import SpecError
from core.run.events import State
from core.run.figures import Count, Text
from core.run.made import MOST_SOURCES
from core.run.spec import MAX_SPEC_BYTES, Name, Params, Part, Versions
from core.store.store import MAX_NOTE, MAX_TAGS, Tag

FORMAT: Literal["augury-archive"] = "augury-archive"
VERSION: Literal[1] = 1

MB = 2**20
MAX_ARCHIVE_BYTES = 512 * MB  # as a file
MAX_TOTAL_BYTES = 1024 * MB  # unpacked
MAX_MANIFEST_BYTES = 1 * MB
MAX_EVENTS_BYTES = 64 * MB  # of a run; a thousand epochs of the default network have 10
MAX_WEIGHTS_BYTES = 256 * MB  # of a run; 50 million parameters have 191
MAX_EDITS_BYTES = 4 * MB
MAX_PAGE_BYTES = 8 * MB
MAX_STRIP_BYTES = 200_000
MAX_ENTRIES = 3 + 5 * MOST_RUNS
MAX_WHOLE = 2**53  # every whole number up to it is one float

MANIFEST, SEAL, PAGE = "manifest.json", "manifest.sha256", "index.html"
SPEC, EDITS, EVENTS, WEIGHTS = "spec.json", "edits.json", "events.jsonl", "weights.safetensors"

# Every name that an archive may hold, and the most bytes of it. No other name gets any further.
_BOUNDS = {
    re.compile(re.escape(MANIFEST)): MAX_MANIFEST_BYTES,
    re.compile(re.escape(SEAL)): 200,
    re.compile(re.escape(PAGE)): MAX_PAGE_BYTES,
    re.compile(rf"[1-{MOST_RUNS}]/spec\.json"): MAX_SPEC_BYTES,
    re.compile(rf"[1-{MOST_RUNS}]/edits\.json"): MAX_EDITS_BYTES,
    re.compile(rf"[1-{MOST_RUNS}]/events\.jsonl"): MAX_EVENTS_BYTES,
    re.compile(rf"[1-{MOST_RUNS}]/weights\.safetensors"): MAX_WEIGHTS_BYTES,
    re.compile(rf"images/[1-{MOST_RUNS}]-strip\.png"): MAX_STRIP_BYTES,
}

RunId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Seconds = Annotated[float, Field(ge=1e9, le=1e11)]  # since 1970: a moment of this century, or the next few
Whole = Annotated[int, Field(ge=0, le=MAX_WHOLE)]


class Inputs(Part):
    """Of a branch: the run it comes from, and how many of its steps were done then. Of a run whose network
    was made of others': how, and of which."""

    model_config = ConfigDict(populate_by_name=True)

    parent: RunId | Literal[""] = ""
    step: Whole = 0
    how: Name = ""
    params: Params = Field(default_factory=dict)
    sources: Annotated[tuple[RunId, ...], Field(alias=FROM, max_length=MOST_SOURCES, strict=False)] = ()


class RunEntry(Part):
    """What the manifest says of a run. ``name`` and ``seed`` are the spec's, for a person who reads it.

    Args:
        group: a number that those runs of the archive share which were started as one group; None: it was
            started alone, or the others are not here.
    """

    id: RunId
    kind: Literal["train", "transform"]  # the others look at what these leave
    name: Annotated[str, Field(max_length=80)]
    seed: int
    state: State
    reason: Text = ""
    created_at: Seconds
    started_at: Seconds | None = None
    finished_at: Seconds | None = None
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""
    tags: Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS, strict=False)] = ()
    parents: Annotated[tuple[Sha256, ...], Field(max_length=8, strict=False)] = ()
    inputs: Inputs = Inputs()
    group: Annotated[int, Field(ge=1, le=MOST_RUNS)] | None = None


class FileEntry(Part):
    bytes: Count
    sha256: Sha256


class Manifest(Part):
    """``manifest.json``. ``versions`` are those of what wrote it."""

    format: Literal["augury-archive"]
    version: Literal[1]
    versions: Versions
    runs: Annotated[tuple[RunEntry, ...], Field(min_length=1, max_length=MOST_RUNS, strict=False)]
    files: Annotated[dict[str, FileEntry], Field(max_length=MAX_ENTRIES)]

    def to_json(self) -> str:
        return self.model_dump_json(indent=1, exclude_unset=True) + "\n"


def read_manifest(content: bytes) -> Manifest:
    """
    Raises:
        SpecError: it is no manifest, or of another version of the format.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["loc"] == ("version",):
            raise refused("another version of Augury wrote it in a form that this one can't read") from None
        where = ".".join(map(str, first["loc"]))[:80]
        raise refused(f"{MANIFEST} can't be believed ({where or 'as a whole'}: {first['msg']})") from None


def most_bytes(name: str) -> int:
    """Of the file that is called so; 0: an archive has no such file."""
    return next((most for pattern, most in _BOUNDS.items() if pattern.fullmatch(name)), 0)


def place(i: int, name: str) -> str:
    """The name of a file of run ``i``, which counts from 1."""
    return f"{i}/{name}"


def strip_place(i: int) -> str:
    """The name of the picture of run ``i``."""
    return f"images/{i}-strip.png"


def seal_of(manifest: bytes) -> bytes:
    """``manifest.sha256``."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()


def refused(why: str) -> SpecError:
    """Of an archive that is not read: one sentence."""
    return SpecError("ARCHIVE", f"{why}; have it exported once more.")


def edits_text(edits: Any) -> str:
    """``edits.json``, as ``core run --edits`` reads it."""
    return json.dumps(edits, indent=2) + "\n"


def same_json(a: Any, b: Any) -> bool:
    """Whether two values are the same JSON."""
    return canonical(a) == canonical(b)
