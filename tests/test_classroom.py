"""`make class`: who may ask for the server, and what the class is shown."""

import os
import socket
import subprocess
import sys
import time
from types import SimpleNamespace
from urllib.request import urlopen

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core import classroom
from core.__main__ import main
from core.run.errors import SpecError


def test_a_machines_addresses_are_those_that_others_reach(monkeypatch):
    def at(address):
        return SimpleNamespace(family=socket.AF_INET, address=address)

    interfaces = {
        "lo": [at("127.0.0.1")],
        "wan": [at("93.184.216.34")],
        "eth0": [SimpleNamespace(family=socket.AF_INET6, address="fe80::1%eth0"), at("192.168.1.23")],
        "wlan0": [at("169.254.7.7"), at("10.0.0.4")],
        "off": [at("192.168.9.9")],
    }
    states = {name: SimpleNamespace(isup=name != "off") for name in interfaces}
    monkeypatch.setattr("psutil.net_if_stats", lambda: states)
    monkeypatch.setattr("psutil.net_if_addrs", lambda: interfaces)
    monkeypatch.setattr("socket.gethostname", lambda: "Room-12.school.example")
    assert classroom.addresses() == ["10.0.0.4", "192.168.1.23", "93.184.216.34"]
    assert classroom.names() == ["room-12.school.example", "room-12.local"]
    assert classroom.link(8501) == "http://10.0.0.4:8501"
    hosts = classroom.allowed_hosts("augury.example")
    assert hosts[0] == "augury.example" and {"10.0.0.4", "room-12.local", "localhost"} < set(hosts)
    assert "*" not in hosts and "169.254.7.7" not in hosts


@pytest.mark.parametrize("host", ["*", "a b", "http://a", "a:1", "-a", "a.", "x" * 254, "a\n"])
def test_what_is_no_name_of_a_machine_is_refused(host):
    with pytest.raises(SpecError, match="--host"):
        classroom.allowed_hosts(host)


def test_the_code_says_the_link():
    """As a reader of QR codes sees it: the finder's seven squares from the first dark one on."""
    drawn = classroom.invitation(8501, "augury.example")
    rows = drawn.splitlines()
    assert "http://augury.example:8501" in drawn
    dark = {"█": (0, 0), " ": (1, 1), "▀": (0, 1), "▄": (1, 0)}
    pixels = [[dark[c][half] for c in row] for row in rows[: rows.index("")] for half in (0, 1)]
    assert len({len(row) for row in pixels}) == 1
    assert pixels[2][2:9] == [1] * 7 and pixels[3][2:9] == [1, 0, 0, 0, 0, 0, 1]
    assert pixels[5][2:9] == [1, 0, 1, 1, 1, 0, 1]


def test_the_command_becomes_the_server(monkeypatch, capsys):
    became = []

    def become(path, command):
        became.append((path, command))
        raise SystemExit

    monkeypatch.setattr(os, "execv", become)
    with pytest.raises(SystemExit):
        main(["class", "--port", "9000", "--host", "augury.example"])
    ((path, command),) = became
    assert path == sys.executable and "augury.example" in command and "0.0.0.0" in command
    assert "http://augury.example:9000" in capsys.readouterr().out


def test_a_name_that_is_not_this_machines_gets_no_socket(tmp_path):
    """DNS rebinding: a foreign page whose name points here asks by that name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        classroom.server_command(port, "augury.example"),
        env=os.environ | {"AUGURY_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        asked = {
            name: _status(port, name)
            for name in ("augury.example", "127.0.0.1", "evil.example", "augury.example.evil.example")
        }
        assert asked == {
            "augury.example": 101,
            "127.0.0.1": 101,
            "evil.example": 403,
            "augury.example.evil.example": 403,
        }
        headers = urlopen(f"http://127.0.0.1:{port}/").headers
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    finally:
        server.terminate()
        server.wait(30)


def _wait(port):
    deadline = time.monotonic() + 60
    while True:
        try:
            return urlopen(f"http://127.0.0.1:{port}/_stcore/health").read()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _status(port, name):
    """The status that a socket is answered with by ``name``, in its Host and its Origin."""
    url, origin = f"ws://{name}:{port}/_stcore/stream", f"http://{name}:{port}"
    try:
        with connect(url, sock=socket.create_connection(("127.0.0.1", port)), origin=origin):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code
