"""A PostgreSQL server for the tests: Debian's package, a cluster of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """An SQLAlchemy address of an empty database, until the block ends.

    PostgreSQL refuses to run as root; then it runs as the user that its package made.
    """
    folder = Path(tempfile.mkdtemp(prefix="augury-pg-", dir="/tmp"))
    as_user: list[str] = []
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binaries = _binaries()

    def run(name: str, *arguments: str) -> None:
        done = subprocess.run(
            [*as_user, str(binaries / name), *arguments], cwd="/", capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr

    cluster = str(folder / "cluster")
    try:
        run("initdb", "-D", cluster, "-U", "augury", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", cluster, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://augury@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    """Where the newest installed PostgreSQL has its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    assert found, "PostgreSQL is not installed; `make test` does it."
    return found[-1].parent
