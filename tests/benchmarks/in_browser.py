"""What a person waits for, measured in a real browser on this machine.

    python -m tests.benchmarks.in_browser [--rounds 30] [--while-training]

- first point: from the click on Start to a point on the loss chart, worker warm.
- slider: from letting go of a slider's key on Augment to all 16 new pictures of 224 px decoded, with
  three operations; once with nothing else running, and with --while-training also beside a run.
- server: what the page says the pipeline took for those pictures.

Prints milliseconds: p50, p95 and the largest.
"""

from __future__ import annotations

import argparse
import json
import re
import time

from playwright.sync_api import Browser, Page, sync_playwright

from core.presets import preset
from core.run import address
from core.run.spec import TrainSpec
from tests.e2e.browsing import ROOT, launch, open_page, ready, streamlit_server, temporary_home

# Waits, frame by frame, until `done()` holds, and gives the milliseconds since `from` happened.
SINCE = """([event, done]) => new Promise(resolve => {
    let began = null
    document.addEventListener(event, () => { began ??= performance.now() }, {capture: true, once: true})
    const holds = new Function('return ' + done)
    const look = () => began !== null && holds()
        ? resolve(performance.now() - began) : requestAnimationFrame(look)
    look()
})"""
TOOK = re.compile(r"(\d+) ms · (?:CPU|GPU)")
POINT = "[...document.querySelectorAll('.augury-chart .plot')].some(plot => plot.data?.[0]?.x?.length)"


def _expect(page: Page, event: str, done: str) -> None:
    """From the next ``event`` on, count the milliseconds until ``done`` holds; read ``window.waited``."""
    # In braces: the value of an assignment would be the promise, and Playwright would wait for it here.
    page.evaluate(f"given => {{ window.waited = ({SINCE})(given) }}", [event, done])


def first_point(browser: Browser, url: str) -> float:
    """One run from the Train page's Start button; stopped again at once."""
    page = open_page(browser)
    page.goto(f"{url}/Train")
    ready(page)
    start = page.get_by_role("button", name="Start training")
    start.wait_for()
    page.wait_for_timeout(2000)  # a person looks before they press
    _expect(page, "click", POINT)
    start.click()
    waited = float(page.evaluate("window.waited"))
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Change something and train again").wait_for()
    page.context.close()
    return waited


def slider(page: Page) -> float:
    """One move of the affine operation's shift, which changes every image, by the keyboard."""
    thumb = page.get_by_role("slider", name="Translate").first
    thumb.focus()
    page.evaluate("() => { window.old = window.tiles().map(image => image.src) }")
    _expect(page, "keyup", "window.changed()")
    far = float(thumb.get_attribute("aria-valuenow") or thumb.input_value()) > 0.3
    page.keyboard.press("Home" if far else "ArrowRight")
    return float(page.evaluate("window.waited"))


# The gallery may live in a shadow root: find its pictures wherever they are.
FIND = """() => {
    const inside = node => [node, ...[...node.querySelectorAll('*')].flatMap(each =>
        each.shadowRoot ? inside(each.shadowRoot) : [])]
    window.tiles = () => inside(document.querySelector('.st-key-results') ?? document)
        .flatMap(root => [...root.querySelectorAll('img')]).filter(image => image.naturalWidth >= 200)
    window.changed = () => {
        const now = window.tiles().map(image => image.src)
        return now.length >= 16 && now.some((src, i) => src !== window.old[i])
            && window.tiles().every(image => image.complete)
    }
}"""


def sliders(browser: Browser, url: str, rounds: int) -> dict[str, dict[str, float]]:
    page = open_page(browser)
    page.goto(f"{url}/Augment")
    ready(page)
    page.wait_for_timeout(3000)
    page.evaluate(FIND)
    waits, on_server = [], []
    for _ in range(rounds):
        waits.append(slider(page))
        page.wait_for_timeout(1000)  # a person looks
        if took := TOOK.search(page.get_by_test_id("stMain").inner_text()):
            on_server.append(float(took[1]))
    page.context.close()
    return {"slider": summary(waits)} | ({"server": summary(on_server)} if on_server else {})


def sliders_while_training(browser: Browser, url: str, rounds: int) -> dict[str, dict[str, float]]:
    """The same beside a run that outlasts them; nobody watches it meanwhile."""
    spec = preset("baseline").model_copy(update={"train": TrainSpec(epochs=1000)})
    page = open_page(browser)
    page.goto(f"{url}/Train?spec={address.encode(spec)}")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_function(POINT)
    run = page.url
    page.goto("about:blank")
    measured = sliders(browser, url, rounds)
    page.goto(run)
    page.get_by_role("button", name="Stop").click()  # it is there: the run was still training
    page.context.close()
    return measured


def summary(waits: list[float]) -> dict[str, float]:
    ordered = sorted(waits)
    return {
        "p50_ms": round(ordered[len(ordered) // 2]),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)]),
        "max_ms": round(ordered[-1]),
        "rounds": len(ordered),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--while-training", action="store_true", help="sliders beside a run, too")
    options = parser.parse_args()
    with (
        temporary_home() as home,
        streamlit_server(ROOT / "app.py", home) as url,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        page = open_page(browser)  # the first visitor waits for torch; that is not what is measured here
        page.goto(f"{url}/Train")
        page.get_by_role("button", name="Start training").wait_for(timeout=120_000)
        page.context.close()
        time.sleep(10)  # the worker warms up
        measured: dict[str, object] = {
            **sliders(browser, url, options.rounds),
            "first_point": summary([first_point(browser, url) for _ in range(max(5, options.rounds // 3))]),
        }
        if options.while_training:
            measured["while_training"] = sliders_while_training(browser, url, options.rounds)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
