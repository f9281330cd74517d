"""Each architecture with each technique: straight, paused twenty times, its worker killed, its server killed,
and replayed by the command line, must come to the same bits: ``python -m tests.nightly.matrix``.

Prints one JSON object; the exit status is 1 if any run came to other epochs or other weights.
"""

from __future__ import annotations

import os

os.environ.setdefault("AUGURY_THREADS", "1")  # before torch loads

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.run.edits import Edit
from core.run.events import Event, lean
from core.run.spec import parse
from core.runtime import prepare_torch
from core.store.store import Store
from core.train import loop
from core.train.loop import run
from tests.nightly.kill_processes import ROOT, Server
from tests.train.same_runs import NETWORKS, TECHNIQUES, edits_of, paused, sha, spec_of
from tests.train.small_runs import epochs

PATIENCE = 180.0
POLL = 0.02
MORE = 6  # times as many epochs as in the small tests, for a kill to hit
TRIES = 4
ENDED = ("finished", "failed", "stopped", "interrupted")
DEFAULT: dict[str, Any] = {"data": {"train_images": 640}, "train": {"epochs": 6, "device": "cpu"}}


class WrongError(Exception):
    """A run came to other bits, or to no end."""


def check(events: list[Event], weights: str, straight: tuple[list[dict[str, Any]], str], way: str) -> None:
    """Each epoch, as often as it was told, and the weights."""
    told, expected = json.loads(json.dumps(epochs(events))), {each["epoch"]: each for each in straight[0]}
    if {each["epoch"] for each in told} != set(expected):
        raise WrongError(f"{way}: {len(told)} epochs instead of {len(expected)}")
    for each in told:
        whole = expected[each["epoch"]]
        # What the store lacked when its server was killed comes from the checkpoint, without pictures.
        if any(value != whole[name] for name, value in each.items()) or not set(lean(whole)) <= set(each):
            raise WrongError(f"{way}: epoch {each['epoch']} differs")
    if weights != straight[1]:
        raise WrongError(f"{way}: other weights")


class Killing:
    """Two servers on one home, of which one computes."""

    def __init__(self, home: Path, rng: random.Random) -> None:
        self.home, self.rng, self.within = home, rng, Counter[str]()
        self.servers = [Server(home, fake=False), Server(home, fake=False)]
        for server in self.servers:
            server.wait_ready()
        self.store = Store(f"sqlite:///{home / 'augury.db'}")

    def until(self, what: str, look: Any) -> Any:
        end = time.monotonic() + PATIENCE
        while not (found := look()):
            if time.monotonic() > end:
                raise WrongError(f"there was no {what} within {PATIENCE:g} s")
            time.sleep(POLL)
        return found

    def killed(self, spec: dict[str, Any], edits: list[Edit], way: str) -> tuple[list[Event], str]:
        """A run whose worker or server is killed within an epoch; its events and its weights."""
        for _ in range(TRIES):
            run_id = self.servers[0].ask("submit", spec=spec, edits=edits)
            self.cut(run_id, way)
            events = [event for _, event in self.store.events(run_id)]
            if went_on := [event for event in events if event["event"] == "resumed"]:
                break
        else:
            raise WrongError(f"{way}: no kill hit the run")
        self.within[way] += any(event["epoch"] % 1 for event in went_on)
        folder = self.home / "runs" / run_id
        if left := list(folder.rglob("*.part")):
            raise WrongError(f"{way}: {left} is left")
        return events, sha(folder)

    def cut(self, run_id: str, way: str) -> None:
        """Kill what computes a run, at random, and have the run go on to its end."""
        self.until("checkpoint", (self.home / "runs" / run_id / "checkpoint.safetensors").is_file)
        time.sleep(self.rng.uniform(0.0, 0.5))
        self.kill(run_id, way)
        self.until("end", lambda: self.state(run_id) in ENDED)
        if self.state(run_id) == "interrupted":
            self.servers[self.rng.randrange(2)].ask("resume", run_id=run_id)
        self.until("finish", lambda: self.state(run_id) in ENDED)

    def state(self, run_id: str) -> str:
        stored = self.store.run(run_id)
        return stored.state if stored else ""

    def kill(self, run_id: str, way: str) -> None:
        for at, server in enumerate(self.servers):
            for pid, computed in server.ask("busy").items():
                if computed != run_id:
                    continue
                if way == "worker killed":
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), 9)
                else:
                    server.kill()
                    self.servers[at] = Server(self.home, fake=False)
                    self.servers[at].wait_ready()
                return

    def close(self) -> None:
        for server in self.servers:
            server.close()
        self.store.close()


def replayed(spec: dict[str, Any], edits: list[Edit], out: Path) -> tuple[list[Event], str]:
    """By the command line."""
    command = [sys.executable, "-m", "core", "run", "-", "--out", str(out)]
    if edits:
        out.mkdir()
        (out / "given.json").write_text(json.dumps(edits))
        command += ["--edits", str(out / "given.json")]
    done = subprocess.run(command, input=json.dumps(spec), capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise WrongError(f"replayed: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()], sha(out)


def cell(network: str, technique: str, folder: Path, killing: Killing, rng: random.Random) -> None:
    """All ways of one architecture with one technique."""
    if network == "default":
        spec, edits = DEFAULT, []
    else:
        spec, edits = spec_of(network, technique), edits_of(technique)
        spec["train"]["epochs"] *= MORE
        edits = [
            {**each, "set": {k: v * MORE if k == "train.epochs" else v for k, v in each["set"].items()}}
            for each in edits
        ]
    told = list(run(parse(spec), out=folder / "straight", edits=edits))
    straight = json.loads(json.dumps(epochs(told))), sha(folder / "straight")
    check(*replayed(spec, edits, folder / "replayed"), straight, "replayed")
    for way in ("worker killed", "server killed"):
        check(*killing.killed(spec, edits, way), straight, way)
    if network != "default":
        told = list(run(parse(spec_of(network, technique)), out=folder / "short", edits=edits_of(technique)))
        short = json.loads(json.dumps(epochs(told))), sha(folder / "short")
        check(paused(network, technique, folder / "paused", 20, rng), sha(folder / "paused"), short, "paused")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--networks", nargs="*", default=[*NETWORKS, "default"])
    parser.add_argument("--techniques", nargs="*", default=[*TECHNIQUES])
    options = parser.parse_args()
    prepare_torch()
    loop.STEP_SECONDS, loop.STEP_SHARE = 0.0, 1e9  # what is asked at a step is asked when that is told
    os.environ["AUGURY_CHECKPOINT_SECONDS"] = "0.05"
    rng, wrong, right, began = random.Random(options.seed), [], 0, time.time()
    cells = [(n, t) for n in options.networks for t in options.techniques if n != "default"]
    cells += [("default", "dropout")] if "default" in options.networks else []  # it has dropout 0.5
    with tempfile.TemporaryDirectory(prefix="augury-matrix-", ignore_cleanup_errors=True) as folder:
        (home := Path(folder) / "home").mkdir()
        os.environ["AUGURY_HOME"] = str(home)
        killing = Killing(home, rng)
        try:
            for network, technique in cells:
                print(f"{network}, {technique}", file=sys.stderr, flush=True)
                out = Path(folder) / f"{network} {technique}"
                out.mkdir()
                try:
                    cell(network, technique, out, killing, rng)
                    right += 1
                except WrongError as error:
                    wrong.append(f"{network}, {technique}: {error}")
                    print(wrong[-1], file=sys.stderr, flush=True)
        finally:
            killing.close()
    report = {"seed": options.seed, "cells": len(cells), "right": right, "wrong": wrong}
    report |= {"resumed within an epoch": killing.within, "took": round(time.time() - began)}
    print(json.dumps(report, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
