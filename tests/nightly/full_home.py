"""Everything on one small disk that fills up, the database too: ``python -m tests.nightly.full_home``.

A run is under way when the disk fills; then there is room again. And once more, with the server killed while
the disk is full. The run must end as one that was never cut. Needs the right to mount a tmpfs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.nightly.kill_processes import Server
from tests.nightly.kill_proof import differing, torn

DISK = "size=12m"
FULL_SECONDS = 6.0
PATIENCE = 180.0
SPEC: dict[str, Any] = {
    "data": {"name": "digits"},
    "model": {"params": {"channels": [8, 16], "hidden": 16}},
    "train": {"epochs": 60, "device": "cpu"},
}


def fill(home: Path) -> None:
    with suppress(OSError), (home / "filling").open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass


def trial(home: Path, killed: bool) -> dict[str, Any]:
    """What was seen; ``wrong`` is empty if all was right."""
    server = Server(home, fake=False)
    server.wait_ready()
    wrong: list[str] = []
    try:
        run_id = server.ask("submit", spec=SPEC)
        until(lambda: (home / "runs" / run_id / "checkpoint.safetensors").is_file())
        fill(home)
        server.ask("command", run_id=run_id, command={"command": "edit", "set": {"optimiser.lr": 0.002}})
        time.sleep(FULL_SECONDS)
        told = server.ask("states", ids=[run_id])[run_id]
        if killed:
            server.kill()
        (home / "filling").unlink()
        if killed:
            server = Server(home, fake=False)
            server.wait_ready()
            server.ask("resume", run_id=run_id)
        until(lambda: server.ask("states", ids=[run_id])[run_id][0] in ("finished", "failed", "interrupted"))
        ended = server.ask("states", ids=[run_id])[run_id]
        if ended[0] != "finished":
            wrong.append(f"it ended {ended}")
        time.sleep(3.0)  # the store is written a moment later
        wrong += torn(home)
        if what := differing(home, run_id):
            wrong.append(what)
        return {"server killed": killed, "said while the disk was full": told, "wrong": wrong}
    finally:
        server.close()


def until(look: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    os.environ |= {"AUGURY_CHECKPOINT_SECONDS": "0.2", "AUGURY_THREADS": "1"}
    seen = []
    for killed in (False, True):
        with tempfile.TemporaryDirectory(prefix="augury-full-") as folder:
            subprocess.run(["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", folder], check=True)
            try:
                seen.append(trial(Path(folder), killed))
            finally:
                subprocess.run(["umount", "-l", folder], check=False)
    print(json.dumps(seen, indent=1))
    return 1 if any(each["wrong"] for each in seen) else 0


if __name__ == "__main__":
    sys.exit(main())
