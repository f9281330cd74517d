"""Fixtures of the browser tests: servers, a Chromium, and pages that notice what must not happen."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import ARTIFACTS, ROOT, launch, open_page, picture, streamlit_server, temporary_home
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

Serve = Callable[[str], str]
LOGS: dict[str, Path] = {}  # a server's address -> where its output goes


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Starts a script (a path from the repository's root), once a session, and gives its address."""
    with ExitStack() as stack:
        running: dict[str, str] = {}

        def start(script: str) -> str:
            if script not in running:
                home = stack.enter_context(temporary_home())
                running[script] = stack.enter_context(streamlit_server(ROOT / script, home))
                LOGS[running[script]] = home / "server.log"
            return running[script]

        yield start


@pytest.fixture(scope="session")
def app(serve: Serve) -> str:
    """The address of Augury itself, with a home of its own."""
    return serve("app.py")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def problems() -> list[str]:
    """What a page did that it must not: errors on its console, and requests to other machines.

    Must be empty when a test ends; a test that provokes an error clears it.
    """
    return []


@pytest.fixture
def page(browser: Browser, problems: list[str]) -> Iterator[Page]:
    """A page in a light theme, 1280 wide."""
    with _watched(open_page(browser), problems) as page:
        yield page


@pytest.fixture
def telephone(browser: Browser, problems: list[str]) -> Iterator[Page]:
    """A page in a light theme, 390 wide, touched by a finger."""
    with _watched(open_page(browser, width=390), problems) as page:
        yield page


@pytest.fixture(params=["light-1280", "light-390", "dark-1280", "dark-390"])
def any_page(request: pytest.FixtureRequest, browser: Browser, problems: list[str]) -> Iterator[Page]:
    """A page in each theme and width in turn."""
    theme, width = request.param.split("-")
    with _watched(open_page(browser, dark=theme == "dark", width=int(width)), problems) as page:
        yield page


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[[Page], Path]:
    """Puts a picture of the whole page into ``artifacts/``, named after the test."""
    return lambda page: picture(page, ARTIFACTS / f"{request.node.name}.png")


@contextmanager
def _watched(page: Page, problems: list[str]) -> Iterator[Page]:
    def request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            problems.append(f"requested {url}")

    def console(said: ConsoleMessage) -> None:
        # Opened at /Train, Streamlit's front end asks for /Train/_stcore/… first, to find its base.
        if "/_stcore/" not in said.location.get("url", ""):
            problems.append(f"console: {said.text}")

    page.on("request", lambda asked: request(asked.url))
    page.on("websocket", lambda socket: request(socket.url))
    page.on("pageerror", lambda error: problems.append(f"error {error}"))
    page.on("console", lambda said: said.type == "error" and console(said))
    yield page
    page.context.close()
    assert problems == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed leaves a picture of its page, and the end of the server's output."""
    report = yield
    for page in item.funcargs.values() if report.failed and call.when == "call" else ():
        if not isinstance(page, Page) or page.is_closed():
            continue
        kept = ARTIFACTS / f"failed-{item.name}.png"
        kept.parent.mkdir(exist_ok=True)
        page.screenshot(path=kept)
        report.sections.append(("picture", str(kept)))
        for address, log in LOGS.items():
            if page.url.startswith(address) and log.exists():
                report.sections.append(("server", log.read_text(errors="replace")[-5000:]))
    return report
