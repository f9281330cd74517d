"""From the start of the server to a whole page in a browser, and what the server weighs once all were open.

    python -m tests.benchmarks.cold_start [--rounds 3] [--beside FOLDER ...]

Each round starts a new server with a new home for each page and each folder, in turn, so that a busy moment
falls on all alike. ``--beside`` names other checkouts of Augury to measure in the same go. `bare` is a
Streamlit page with one Plotly chart and nothing else: the least that any page can take.

A page is whole when these are drawn: Start, every preset and the three cards' pictures and charts; Train, the
table of layers and the first batch; Augment, sixteen results.

Prints JSON: for each folder and page the median and the largest of the seconds, and of the server's memory
(resident, MB, children apart) after every page was opened.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.browsing import ROOT, launch, open_page, temporary_home

BARE = """import plotly.graph_objects as go
import streamlit as st
st.plotly_chart(go.Figure(go.Scatter(y=[1, 3, 2])))
"""

# Pictures and charts may lie in shadow roots: find them wherever they are.
WHOLE = """() => {
    const inside = node => [node, ...[...node.querySelectorAll('*')].flatMap(each =>
        each.shadowRoot ? inside(each.shadowRoot) : [])]
    const all = css => inside(document).flatMap(root => [...root.querySelectorAll(css)])
    const pictures = all('img').filter(image => image.complete && image.naturalWidth > 0).length
    const charts = all('.js-plotly-plot').filter(plot => plot.querySelector('.main-svg')).length
    return %s
}"""
PAGES = {
    "": "pictures >= 6 && charts >= 2 && all('button').length >= 12",
    "Train": "pictures >= 8 && all('[data-testid=stDataFrame]').length >= 1",
    "Augment": "pictures >= 20",
}


def seconds_to(
    browser: Browser, folder: Path, script: Path, page_name: str, whole: str
) -> tuple[float, float]:
    """From the start of a server to the whole page; and its memory after every page was opened."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = open_page(browser)
    with temporary_home() as home:
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
        command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
        began = time.perf_counter()
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "AUGURY_HOME": str(home), "PYTHONPATH": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _open(page, f"http://127.0.0.1:{port}/{page_name}")
            page.wait_for_function(WHOLE % whole, timeout=60_000)
            took = time.perf_counter() - began
            if script.name == "app.py":
                for other, is_whole in PAGES.items():
                    page.goto(f"http://127.0.0.1:{port}/{other}")
                    page.wait_for_function(WHOLE % is_whole, timeout=60_000)
            return took, psutil.Process(server.pid).memory_info().rss / 1e6
        finally:
            page.context.close()
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _open(page: Page, url: str) -> None:
    """As a person who presses reload until the server answers."""
    while True:
        try:
            page.goto(url, wait_until="commit")
            return
        except Exception:
            time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beside", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {}
    with sync_playwright() as playwright, temporary_home() as scratch:
        bare = scratch / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        browser = launch(playwright)
        for _ in range(options.rounds):
            taken = seconds_to(browser, ROOT, bare, "", "charts >= 1")
            found.setdefault("bare", []).append(taken)
            for folder in (*options.beside, ROOT):
                for page, whole in PAGES.items():
                    taken = seconds_to(browser, folder, folder / "app.py", page, whole)
                    found.setdefault(f"{folder.name}/{page or 'Start'}", []).append(taken)
    figures = {
        name: {
            "seconds": round(median(s for s, _ in taken), 2),
            "most": round(max(s for s, _ in taken), 2),
            "megabytes": round(max(m for _, m in taken)),
        }
        for name, taken in found.items()
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
