"""A Ray cluster of several nodes on this machine, on 127.0.0.1 alone, gone afterwards.

Each node is what `ray start` makes, of two commands as a person would give them on two machines. Ray itself
takes 127.0.0.1 for a mistake and listens to the whole network instead; `main` keeps it from that.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
# What the server's environment says, and another machine's does not.
SERVERS = ("AUGURY_ARTEFACTS", "AUGURY_DATABASE_URL", "AUGURY_EXECUTOR", "AUGURY_THREADS", "RAY_ADDRESS")
# For who connects: Ray then believes that 127.0.0.1 is meant.
CONNECTS = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
START_SECONDS = 120.0
STORE_BYTES = 80_000_000  # the least that Ray takes; events are small


class Node:
    """A node of the cluster: Ray's processes that one `ray start` has started.

    Args:
        home: its ``AUGURY_HOME``.
    """

    def __init__(self, name: str, home: Path, *arguments: str, cpus: int = 1) -> None:
        self.name, self.home = name, home
        home.mkdir(parents=True, exist_ok=True)
        self._mark = f"{os.getpid()}-{name}"
        command = [sys.executable, "-m", "tests.ray_cluster", "start", f"--node-ip-address={HOST}"]
        command += [f"--num-cpus={cpus}", f"--object-store-memory={STORE_BYTES}", *arguments]
        command += ["--min-worker-port=0", "--max-worker-port=0", "--disable-usage-stats"]
        command += ["--include-dashboard=false"] if "--head" in arguments else []
        environment = {**os.environ, "AUGURY_HOME": str(home), "AUGURY_NODE": self._mark}
        environment |= {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
        for other in (*SERVERS, *CONNECTS):
            environment.pop(other, None)
        with (home / "ray.log").open("wb") as log:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, timeout=START_SECONDS
            )
        assert done.returncode == 0, (home / "ray.log").read_text(errors="replace")

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Those of this node whose names begin so."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                ours = process.environ().get("AUGURY_NODE") == self._mark
                if ours and process.status() != psutil.STATUS_ZOMBIE and process.name().startswith(name):
                    found.append(process)
        return found

    def kill(self, processes: Sequence[psutil.Process] = ()) -> None:
        """End the node as if its machine had lost power.

        Args:
            processes: those that are known already go first.
        """
        for process in [*processes, *self.processes()]:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)


@contextmanager
def cluster(folder: Path, nodes: int = 2, cpus: int = 1) -> Iterator[tuple[str, list[Node]]]:
    """The address of a cluster, and its nodes, of which the first is the head and computes nothing."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    address = f"{HOST}:{port}"
    temporary = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # its sockets need a short path
    started: list[Node] = []
    try:
        for number in range(nodes):
            joins = ["--head", f"--port={port}", f"--temp-dir={temporary}"]
            joins = joins if number == 0 else [f"--address={address}"]
            started.append(Node(f"node-{number}", folder / f"node-{number}", *joins, cpus=cpus))
        yield address, started
    finally:
        for node in started:
            node.kill()
        shutil.rmtree(temporary, ignore_errors=True)


def main() -> None:
    from ray._private import services
    from ray.scripts.scripts import main as ray

    services.get_node_ip_address = lambda address=None: HOST
    ray()


if __name__ == "__main__":
    main()
