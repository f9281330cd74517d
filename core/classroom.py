"""Augury for a class: the addresses at which others on this network find this machine, and the server that
answers to these alone.

A browser sends the name that stands in its address bar. A foreign page that has its own name point here (DNS
rebinding) is so told from the class, and refused.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from pathlib import Path

import psutil
import segno

from core.run.errors import SpecError

APP = Path(__file__).parents[1] / "app.py"
HERE = ("localhost", "127.0.0.1")

_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


def addresses() -> list[str]:
    """This machine's IPv4 addresses on its networks, private ones, as a school has them, first."""
    up = [name for name, state in psutil.net_if_stats().items() if state.isup]
    known = psutil.net_if_addrs()
    found = [
        ipaddress.IPv4Address(each.address)
        for name in up
        for each in known.get(name, [])
        if each.family == socket.AF_INET
    ]
    usable = [address for address in found if not (address.is_loopback or address.is_link_local)]
    return [str(address) for address in sorted(usable, key=lambda each: (not each.is_private, each))]


def names() -> list[str]:
    """This machine's names, as its network may know them."""
    name = socket.gethostname().lower().rstrip(".")
    return [each for each in (name, f"{name.partition('.')[0]}.local") if _NAME.fullmatch(each)]


def allowed_hosts(host: str | None = None) -> list[str]:
    """All names and addresses under which a browser may ask for this server.

    Raises:
        SpecError: ``host``, a further name, is none.
    """
    if host is not None and not _NAME.fullmatch(host):
        raise SpecError("--host", f"{host!r} is no name or address of a machine, like augury.school.example.")
    return list(dict.fromkeys([*([host] if host else []), *addresses(), *names(), *HERE]))


def link(port: int, host: str | None = None) -> str:
    """What the class opens: by ``host``, else by the likeliest address."""
    return f"http://{host or next(iter(addresses()), 'localhost')}:{port}"


def invitation(port: int, host: str | None = None) -> str:
    """The link in words, and as a QR code for a projector: half blocks, dark on light."""
    code = segno.make(link(port, host), error="l")
    rows = [[bool(dark) for dark in row] for row in code.matrix_iter(border=2)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    blocks = {(False, False): "█", (True, True): " ", (False, True): "▀", (True, False): "▄"}
    drawn = [
        "".join(blocks[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    others = ", ".join(f"http://{name}:{port}" for name in names())
    said = f"Augury opens for this network at {link(port, host)}" + (f" (or {others})" if others else "")
    return "\n".join([*drawn, "", said, "Ctrl-C stops it and its runs."])


def server_command(port: int, host: str | None = None) -> list[str]:
    """What starts the server for all on this network."""
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "0.0.0.0"]
    for each in allowed_hosts(host):
        command += ["--server.allowedHosts", each]
    return command
