"""Kills servers, training workers and interactive workers of two servers on one home, at random, and looks
at what becomes of all the runs: ``python -m tests.nightly.kills --kills 50``.

Prints one JSON object; the exit status is 1 if anything was lost, left behind or harmed that should not be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.nightly.kill_processes import ANSWER_SECONDS, ROOT, SLOTS, environment, owner_of
from tests.nightly.kill_trial import KINDS, POLL, WRITING, Trial, random_kills, trial

BUSY = 0.7  # of the servers and workers that are killed, so many compute a run


def kill_streamlit(each: Trial) -> None:
    """Start the app itself on the same home, open a page, and kill it while it computes a run."""
    from tests.benchmarks.viewers import Seat

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    # One slot more than the others have, for those take the next run as soon as one of theirs has ended.
    env = environment(each.home, SLOTS + 1)
    with (each.home / "servers.log").open("ab") as log:
        app = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    each.others = [app.pid]
    owner = owner_of(app.pid)
    try:
        asyncio.run(_open(Seat(f"http://127.0.0.1:{port}")))
        end = time.monotonic() + ANSWER_SECONDS
        while not any(row["owner"] == owner and row["state"] == "running" for row in each.rows().values()):
            each.top_up()
            each.wrong()
            if time.monotonic() > end:
                each.ledger.violation("the app took no run")
                break
            time.sleep(POLL)
    finally:
        each.ledger.dead.add(owner)
        began = time.time()
        app.kill()
        app.wait()
        each.others = []
    each.wait_until_right("streamlit server", began)


async def _open(seat: Any) -> None:
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            async with seat:
                await seat.ask()
            return
        except (OSError, TimeoutError):
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--fake", action="store_true", help="workers without torch")
    parser.add_argument("--streamlit", type=int, default=3, help="kills of the app itself, at the end")
    parser.add_argument("--patience", type=float, default=15.0, help="seconds until all is right again")
    parser.add_argument("--compare", type=int, default=40, help="runs that went on, with those that need not")
    parser.add_argument("--kinds", nargs="*", choices=KINDS + WRITING, help="only these")
    options = parser.parse_args()
    all_kinds = KINDS if options.fake else KINDS + WRITING  # workers without torch write nothing
    os.environ["AUGURY_CHECKPOINT_SECONDS"] = "0.1"
    os.environ["AUGURY_THREADS"] = "1"
    began = time.time()
    with tempfile.TemporaryDirectory(prefix="augury-kills-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        how = {"fake": options.fake, "lengths": (1, 1, 5), "patience": options.patience}
        with trial(home, options.seed, **how) as each:
            kinds = random_kills(each.rng, options.kills, options.kinds or all_kinds)
            try:
                for number, kind in enumerate(kinds):
                    print(f"{number + 1}/{options.kills} {kind}", file=sys.stderr)
                    each.kill(kind, busy=each.rng.random() < BUSY)
                for _ in range(options.streamlit):
                    print("streamlit", file=sys.stderr)
                    kill_streamlit(each)
                each.drain()
                each.prove(0 if options.fake else options.compare)
            finally:
                log = (home / "servers.log").read_text(errors="replace")
                report = {"seed": options.seed, "kills": Counter(kinds), "streamlit": options.streamlit}
                report |= {**each.ledger.report(), "took": round(time.time() - began)}
                if each.ledger.violations:
                    print(log[-5000:], file=sys.stderr)
                print(json.dumps(report, indent=1))
    return 1 if each.ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main())
