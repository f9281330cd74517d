"""What the browser tests and `look.py` share: a Chromium, a server, and when a page is ready."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, expect

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts"
HEIGHTS = {1280: 800, 390: 844}
TALLEST = 8000  # CSS pixels a picture may be high
PATIENCE = 30_000  # milliseconds; a machine that also trains is slow


def launch(playwright: Playwright) -> Browser:
    """The Chromium at ``AUGURY_CHROMIUM`` or on the path, else the one Playwright installed."""
    chosen = os.environ.get("AUGURY_CHROMIUM") or shutil.which("chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return playwright.chromium.launch(executable_path=chosen, args=flags)


def open_page(browser: Browser, *, dark: bool = False, width: int = 1280) -> Page:
    """A page in a session of its own, in the theme and at the width asked for."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS.get(width, 800)},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        has_touch=width < 600,
        is_mobile=width < 600,  # a finger, which can't hover
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return page


def ready(page: Page, timeout: float = PATIENCE) -> Page:
    """Waits for the connection and for content. Not for idleness: a page that polls is never idle."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=timeout)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_test_id("stElementContainer").first).to_be_attached(timeout=timeout)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=timeout)
    return page


def picture(page: Page, path: Path) -> Path:
    """A PNG of the whole page. Streamlit scrolls inside a container, so the window is made as tall
    as what is in there, and put back after."""
    window = page.viewport_size
    assert window is not None
    tall = page.evaluate(
        """() => Math.max(...['stMain', 'stSidebarContent'].map(name =>
            document.querySelector(`[data-testid=${name}]`)?.scrollHeight ?? 0))"""
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": window["width"], "height": max(window["height"], min(tall, TALLEST))})
    page.wait_for_timeout(500)  # charts redraw once the window has its new size
    page.screenshot(path=path)
    page.set_viewport_size(window)
    return path


@contextmanager
def streamlit_server(
    script: Path, home: Path, timeout: float = 60, hosts: Sequence[str] = ()
) -> Iterator[str]:
    """Runs ``streamlit run script`` on a free port until the block ends; yields its address.

    Its output is in ``home/server.log``, and in the error if it doesn't come up.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    command += [f"--server.allowedHosts={host}" for host in hosts]  # none: any name
    log = home / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "AUGURY_HOME": str(home), "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(f"{address}/_stcore/health", server, log, timeout)
        yield address
    finally:
        _end(server)


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The app did not come up:\n{log.read_text(errors='replace')}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Asks the server, with the workers it started, to end; insists after ten seconds."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
        except ProcessLookupError:
            return
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def temporary_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="augury-") as folder:
        yield Path(folder)
