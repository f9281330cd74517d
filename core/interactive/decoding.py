"""What the decoding workers can be asked: strangers' bytes are decoded there and nowhere else.

Such a process has a limit of memory, is ended when it takes too long, and has neither torch nor a run that
trains in it. Two of them serve pages (`core.interactive.client`): one single pictures, one whole datasets.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Base64Bytes, Field

from core.catalogue import imported
from core.data.catalogue import load_dataset
from core.data.images import upload_images
from core.data.uploads import keep_upload
from core.run.spec import MAX_SIDE, DataSpec, Part

Answer = dict[str, Any]

IMPORT = "core.export.archive.importing:import_here"  # by name: what is exported builds on this package
MOST_IN_USE = 500  # uploads; `core.store.store` reads as many runs at most
MAX_PICTURE_BYTES = 10 * 2**20
MOST_BYTES = 3 * 2**29  # of memory: a dataset of 1 GiB, and an image of 64 million pixels while it is scaled
MOST_ADDRESSES = 5 * 2**29  # of memory that may be asked for; libraries reserve some that they never touch

UploadName = Annotated[str, Field(pattern="^upload:[0-9a-f]{64}$")]


class Picture(Part):
    name: Annotated[str, Field(max_length=1024)]
    content: Annotated[Base64Bytes, Field(max_length=MAX_PICTURE_BYTES)]
    side: Annotated[int, Field(ge=8, le=MAX_SIDE)]


class Upload(Part):
    path: Annotated[str, Field(max_length=4096)]  # of a file that a page has just written
    in_use: Annotated[tuple[UploadName, ...], Field(max_length=MOST_IN_USE, strict=False)] = ()
    place: Annotated[str, Field(max_length=64)] = ""


class Archive(Part):
    path: Annotated[str, Field(max_length=4096)]  # of a file that a page has just written
    visitor: Annotated[str, Field(max_length=64)]


class OwnImages(Part):
    data: DataSpec


def picture_answer(args: Picture) -> Answer:
    """One of a person's own pictures as bytes (3, S, S); ``refusal`` says what is wrong with it."""
    pictures, refusals = upload_images([(args.name, args.content)], args.side, 3)
    if refusals:
        return {"pixels": None, "refusal": refusals[0]}
    return {"pixels": base64.b64encode(pictures[0].tobytes()).decode(), "refusal": ""}


def upload_answer(args: Upload) -> Answer:
    """Check a zip of one folder a class, every image of it, and keep it; its name among the uploads, and the
    form that suits its images."""
    path, form = keep_upload(Path(args.path).read_bytes(), frozenset(args.in_use), args.place)
    return {"path": path, **form._asdict()}


def dataset_answer(args: OwnImages) -> Answer:
    """Decode a person's own images, so that they lie in the cache for all processes."""
    return {"num_images": len(load_dataset(args.data).labels)}


def archive_answer(args: Archive) -> Answer:
    """Check an archive of runs, and put those that are not here into the store; which runs those of the
    archive are here. What it holds is read in this process and nowhere else."""
    found = imported(IMPORT)(Path(args.path), args.visitor)
    return {"runs": [{"id": run.id, "is_new": run.is_new, "was": run.was} for run in found]}


ANSWERS: dict[str, Callable[[bytes], Answer]] = {
    "picture": lambda args: picture_answer(Picture.model_validate_json(args)),
    "upload": lambda args: upload_answer(Upload.model_validate_json(args)),
    "archive": lambda args: archive_answer(Archive.model_validate_json(args)),
    "dataset": lambda args: dataset_answer(OwnImages.model_validate_json(args)),
}


def load_answers() -> tuple[dict[str, Callable[[bytes], Answer]], Iterator[None]]:
    """Bound this process; what it can be asked, and nothing to warm up."""
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return ANSWERS, iter(())
