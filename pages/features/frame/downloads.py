"""Files that runs leave, sent from the disk: what a run weighs never lies in the server's memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.store.folders import here
from core.store.retention import WEIGHTS
from core.store.store import is_run_id, run_folder

if TYPE_CHECKING:
    from core.store.artefacts import Artefact

_WEIGHTS_PATH, _ARTEFACT_PATH = "augury/weights", "augury/artefact"
CHUNK = 1 << 18  # bytes
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")


def has_weights(run_id: str) -> bool:
    """Whether a run's weights are here, or can be had from another machine."""
    return is_run_id(run_id) and (here(run_id) / WEIGHTS).is_file()


def weights_address(run_id: str) -> str:
    """Where a browser gets them, relative to the page it is on."""
    return f"{_WEIGHTS_PATH}/{run_id}"


def left_by(job_id: str) -> Artefact | None:
    """The file that a job of kind ``export`` has left; None: it has left none, or it is gone."""
    from core.jobs.shared import shared_jobs  # the server listens before this is imported

    jobs = shared_jobs()
    job = jobs.view(job_id)
    if job is None or job.kind != "export":
        return None
    return next(iter(jobs.artefacts_of(job.id)), None)


def artefact_address(job_id: str) -> str:
    """Where a browser gets that file, relative to the page it is on."""
    return f"{_ARTEFACT_PATH}/{job_id}"


def _weights(request: Request) -> Response:
    run_id = request.path_params["run_id"]
    if not has_weights(run_id):
        return PlainTextResponse("This run has left no weights here.", 404)
    return FileResponse(
        run_folder(run_id) / WEIGHTS,
        media_type="application/octet-stream",
        filename=f"augury-{run_id[:8]}.safetensors",
    )


def _artefact(request: Request) -> Response:
    """A file to keep, never a page to open: what a report holds must not run where Augury does."""
    from core.jobs.shared import shared_jobs
    from core.run.errors import SpecError

    job_id = request.path_params["job_id"]
    try:
        artefact = left_by(job_id) if is_run_id(job_id) else None
        if artefact is None:
            return PlainTextResponse("This file is not here, or no longer.", 404)
        file = shared_jobs().artefacts.open(artefact.digest)
    except SpecError as error:  # it was removed, or is damaged
        return PlainTextResponse(error.what, 404)
    name = _UNSAFE.sub("_", artefact.name).lstrip(".")[-120:] or "augury"
    known = _MEDIA_TYPE.fullmatch(artefact.media_type)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(file.seek(0, 2)),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    media_type = artefact.media_type if known else "application/octet-stream"
    if request.method == "HEAD":
        file.close()
        return Response(headers=headers, media_type=media_type)
    file.seek(0)
    return StreamingResponse(_chunks(file), headers=headers, media_type=media_type)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with closing(file):
        yield from iter(lambda: file.read(CHUNK), b"")


ROUTES = [
    Route(f"/{_WEIGHTS_PATH}/{{run_id}}", _weights),
    Route(f"/{_ARTEFACT_PATH}/{{job_id}}", _artefact),
]
