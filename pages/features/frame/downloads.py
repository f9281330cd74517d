"""Files that runs leave, sent from the disk: what a run weighs never lies in the server's memory."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.store.retention import WEIGHTS
from core.store.store import is_run_id, run_folder

_PATH = "augury/weights"


def has_weights(run_id: str) -> bool:
    """Whether a run's weights are on this machine."""
    return is_run_id(run_id) and (run_folder(run_id) / WEIGHTS).is_file()


def weights_address(run_id: str) -> str:
    """Where a browser gets them, relative to the page it is on."""
    return f"{_PATH}/{run_id}"


def _weights(request: Request) -> Response:
    run_id = request.path_params["run_id"]
    if not has_weights(run_id):
        return PlainTextResponse("This run has left no weights here.", 404)
    return FileResponse(
        run_folder(run_id) / WEIGHTS,
        media_type="application/octet-stream",
        filename=f"augury-{run_id[:8]}.safetensors",
    )


ROUTES = [Route(f"/{_PATH}/{{run_id}}", _weights)]
