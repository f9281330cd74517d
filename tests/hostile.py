"""Names that would be links, pictures and headings if they were Markdown: in a link, a zip and a run."""

from __future__ import annotations

import base64
import copy
import io
import json
import time
import uuid
import zipfile
import zlib
from typing import Any

from PIL import Image

from core.run.history import build_history, summary
from core.run.spec import parse
from core.store.store import Store, run_folder
from tests import made_up_run

HOSTS = ("tracker.example", "evil.example")  # nothing of either may be asked for or linked to
PICTURE, LINK = "![x](http://tracker.example/p.png)", "[Sign in again](http://evil.example)"
NAME = f"{PICTURE}\n# {LINK}"  # of a run
ONE_LINE = NAME.replace("\n", " ")
CLASSES = ("www.evil.example", "![x][tracker.example]")  # of a zip: a folder's name has no "/"
BAD_FILE, OTHER_FILE = f"{PICTURE}.png", f"{LINK}.txt"
# What a link may hold that is refused with a sentence which repeats it.
REFUSED: tuple[dict[str, Any], ...] = (
    {"data": {"name": PICTURE}},
    {"model": {"arch": LINK}},
    {"model": {"arch": "cnn", "params": {"hidden": PICTURE}}},
    {"augment": {"ops": [{"op": LINK}]}},
    {"regularisers": [{"kind": PICTURE}]},
    {f"x {PICTURE}": 1},
)


def link(choices: dict[str, Any]) -> str:
    """The choices as in an address, however wrong they are."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(json.dumps(choices).encode()) + packer.flush()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def zipped() -> bytes:
    """Images of two classes, one that can't be read, and a file that is none."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for i in range(24):
            picture = io.BytesIO()
            Image.new("RGB", (8, 8), (255 * (i % 2), i, 0)).save(picture, "PNG")
            archive.writestr(f"{CLASSES[i % 2]}/{i}.png", picture.getvalue())
        archive.writestr(f"{CLASSES[0]}/{BAD_FILE}", b"broken")
        archive.writestr(f"{CLASSES[0]}/{OTHER_FILE}", b"text")
    return content.getvalue()


def choices(path: str) -> dict[str, Any]:
    """Of a run on the zip that is kept under ``path``."""
    return {
        "name": NAME,
        "data": {"name": "folder", "path": path, "side": 16},
        "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 20}},
        "regularisers": [{"kind": "l1", "strength": 1e-3}],
        "train": {"epochs": made_up_run.EPOCHS},
    }


def stored(path: str, *, failed: bool = False) -> str:
    """A run in the store that has ended, with hostile names wherever a run has any; returns its id."""
    text = json.dumps([copy.deepcopy(event) for event in made_up_run.events()])
    text = text.replace('"conv1"', json.dumps(PICTURE)).replace('"fc"', json.dumps(LINK))
    events = json.loads(text)
    notes = [f"Skipped 1 of 25 images: {BAD_FILE}.", f"Ignored 1 other file: {OTHER_FILE}."]
    events[1] |= {"classes": list(CLASSES), "notes": notes, "device_name": PICTURE}
    if failed:
        events[-1] = {"event": "state", "state": "failed", "reason": f"No such file: {NAME}"}
    numbered = list(enumerate(events, 1))
    run_id, store, now = uuid.uuid4().hex, Store(), time.time()
    made_up_run.create(store, run_id, parse(choices(path)), now)
    store.append(run_id, numbered)
    told = summary(build_history(numbered).history())
    store.set_state(run_id, events[-1]["state"], summary=told, started_at=now, finished_at=now)
    store.close()
    run_folder(run_id).mkdir(parents=True)
    (run_folder(run_id) / "weights.safetensors").touch()  # so that the Augment page speaks of it
    return run_id
