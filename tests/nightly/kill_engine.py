"""Kills a run that trains, at random and while it writes a checkpoint, and has it go on, until it ends:
``python -m tests.nightly.kill_engine --kills 200``. Then the same on a disk of a few megabytes that is full
again and again.

Prints one JSON object; the exit status is 1 if a run was lost, came to other bits, or left something behind.
"""

from __future__ import annotations

import os

os.environ.setdefault("AUGURY_THREADS", "1")  # a process that forks may have no threads of torch's

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.jobs.event_file import EventFile
from core.run.checkpoints import newest
from core.run.commands import Control
from core.run.spec import parse
from core.runtime import prepare_torch
from core.train import loop
from tests.nightly.kill_proof import stop_while_it_writes, torn_files
from tests.nightly.matrix import WrongError, check
from tests.train.same_runs import EDITS, NETWORKS, sha, spec_of
from tests.train.small_runs import epochs

EPOCHS = 40
DISK_BYTES = 2 * 2**20
PATIENCE = 60.0


def spec(network: str) -> dict[str, Any]:
    made = spec_of(network, "edits")
    made["train"]["epochs"] = EPOCHS
    made["regularisers"] = [{"kind": "ema"}, {"kind": "l1", "strength": 1e-3, "solver": "proximal"}]
    return made


def edits() -> list[Any]:
    return [{"step": each["step"], "set": {k: v for k, v in each["set"].items() if k != "train.epochs"}}
            for each in EDITS]  # fmt: skip


def start(network: str, out: Path) -> int:
    """A process that begins the run, or has it go on; its id."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        resume = newest(out) is not None
        kept = EventFile(out)
        given = [] if resume else edits()
        state = ""
        for event in loop.run(parse(spec(network)), Control(), out=out, resume=resume, edits=given):
            kept.add(event, resumed=resume)
            state = event.get("state", state) if event["event"] == "state" else state
        status = 0 if state == "finished" else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def ended(pid: int, seconds: float) -> int | None:
    """The exit status of a process within so many seconds; None: it goes on."""
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        if time.monotonic() >= end:
            return None
        time.sleep(0.001)


def killed(network: str, out: Path, rng: random.Random, kills: int, hits: Counter[str]) -> None:
    """One run, killed up to so many times."""
    for _ in range(kills):
        pid = start(network, out)
        while_writing = rng.random() < 0.5
        if ended(pid, rng.uniform(0.0, 0.6)) is not None:
            return
        with suppress(ProcessLookupError):
            if while_writing and stop_while_it_writes(pid, out, 2.0):
                hits["during a write"] += 1
            os.kill(pid, signal.SIGKILL)
        if ended(pid, PATIENCE) == 0:  # it had just come to its end
            return
        hits["kills"] += 1
        if (at := newest(out)) is None:
            hits["before the first checkpoint"] += 1
        elif at.name != "checkpoint.safetensors":
            raise WrongError("the newest checkpoint was torn")
    status = ended(start(network, out), PATIENCE)
    if status != 0:
        raise WrongError(f"the run did not end well: {status}")


def judged(out: Path, straight: tuple[list[dict[str, Any]], str], way: str) -> None:
    told = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    if [each["epoch"] for each in epochs(told)] != [each["epoch"] for each in straight[0]]:
        raise WrongError(f"{way}: events.jsonl does not hold each epoch once")
    check(told, sha(out), straight, way)
    if found := torn_files(out):
        raise WrongError(f"{way}: {found}")


def full_disk(network: str, folder: Path, straight: Any, rng: random.Random, fills: int) -> int:
    """The run on a disk of its own that somebody else fills and empties; how often it was full."""
    disk = folder / "disk"
    disk.mkdir()
    size = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)], check=True)
    full = 0
    try:
        out = disk / "run"
        out.mkdir()
        pid, status = start(network, out), None
        for _ in range(fills):
            if (status := ended(pid, rng.uniform(0.0, 0.3))) is not None:
                break
            with suppress(OSError), (disk / "filling").open("wb", buffering=0) as file:
                while file.write(bytes(65536)) == 65536:
                    pass
            full += 1
            if (status := ended(pid, rng.uniform(0.2, 1.0))) is not None:
                break
            if rng.random() < 0.3:  # and it is killed as well
                os.kill(pid, signal.SIGKILL)
                if ended(pid, PATIENCE) == 0:
                    status = 0
                    break
                if newest(out) is None and any(out.glob("checkpoint*")):
                    raise WrongError("on a full disk the newest checkpoint was torn")
                (disk / "filling").unlink()
                pid = start(network, out)
            (disk / "filling").unlink(missing_ok=True)
        (disk / "filling").unlink(missing_ok=True)
        if status is None:
            status = ended(pid, PATIENCE)
        if status != 0:
            raise WrongError(f"the run on a full disk did not end well: {status}")
        judged(out, straight, "full disk")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
    return full


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--fills", type=int, default=40, help="how often the small disk is filled")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    prepare_torch()
    os.environ["AUGURY_CHECKPOINT_SECONDS"] = "0.02"
    rng, hits, wrong, began = random.Random(options.seed), Counter[str](), [], time.time()
    with tempfile.TemporaryDirectory(prefix="augury-engine-") as name:
        folder, full, runs = Path(name), 0, 0
        straight = {}
        for network in NETWORKS:
            out = folder / f"{network} straight"
            told = list(loop.run(parse(spec(network)), out=out, edits=edits()))
            straight[network] = json.loads(json.dumps(epochs(told))), sha(out)
        try:
            while hits["kills"] < options.kills:
                network = rng.choice([*NETWORKS])
                out = folder / f"run {runs}"
                out.mkdir()
                killed(network, out, rng, min(12, options.kills - hits["kills"]), hits)
                judged(out, straight[network], f"{network}, killed")
                shutil.rmtree(out)
                runs += 1
            while full < options.fills:
                network = rng.choice([*NETWORKS])
                (inner := folder / f"disk {runs}").mkdir()
                full += full_disk(network, inner, straight[network], rng, options.fills - full)
                runs += 1
        except WrongError as error:
            wrong.append(str(error))
    report = {"seed": options.seed, "runs": runs, **hits, "times the disk was full": full, "wrong": wrong}
    print(json.dumps(report | {"took": round(time.time() - began)}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
