"""The page in an archive: it tells the run's figures, lets nothing in, and needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from core.measure.counted import wilson
from core.run.history import build_history
from core.store.store import Store
from tests.export.archives import EPOCHS, ID, OTHER, archived, events, files_of, picture, stored
from tests.export.exported_runs import Picture

PICTURE = "<img src=x onerror=alert(1)>"
HOSTILE = f"{PICTURE}\"'><script>alert(2)</script>"[:80]
VOID = ("meta", "img", "br")


class Read(HTMLParser):
    """Every tag with its attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))


def page_of(tmp_path, told=None, **choices) -> str:
    store = Store()
    stored(store, told=told, **choices)
    store.annotate(ID, HOSTILE, [HOSTILE[:40]])
    store.close()
    return files_of(archived(tmp_path, ID))["index.html"].decode()


def test_the_page_tells_the_figures_of_the_run_with_n_and_interval(tmp_path):
    read = Read(page_of(tmp_path))
    result = build_history(enumerate(events(), 1)).history().result
    images, accuracy = 20, result["validation_accuracy"]
    right = round(accuracy * images)
    low, high = (round(100 * share) for share in wilson(right, images))
    assert f"{100 * accuracy:.1f} %" in read.text
    assert f"{right} of {images}; {low}–{high} %" in read.text
    assert f"mean of {images}" in read.text and f"of {result['sparsity']['weights']:,} weights" in read.text
    assert "Small" in read.text and "mlp 8" in read.text and ID in read.text
    assert "learning rate 0.001 → 0.0005" in read.text and "after step 6" in read.text


def test_the_curves_are_the_events_numbers(tmp_path):
    page = page_of(tmp_path)
    assert [svg["role"] for svg in Read(page).all("svg")] == ["img"] * 3
    loss = [event["validation_loss"] for event in events() if event["event"] == "epoch"]
    picture = Picture(re.findall("<svg.*?</svg>", page, re.DOTALL)[1])
    assert picture.words("title")[0] == "Loss" and "n: 20 validation images" in picture.words("caption")[0]
    ((*points,),) = picture.line("validation")
    assert len(points) == EPOCHS and all(b[0] > a[0] for a, b in pairwise(points))
    (a, top), *_, (b, bottom) = sorted(picture.axis("yaxis").items())  # of logarithms
    for (_, y), value in zip(points, loss, strict=True):
        share = math.log(value / a) / math.log(b / a)
        assert y == pytest.approx(top + share * (bottom - top), abs=0.1)


def test_charts_of_several_runs_keep_their_ids_apart(tmp_path):
    store = Store()
    stored(store)
    stored(store, OTHER)
    store.close()
    page = files_of(archived(tmp_path, ID, OTHER))["index.html"].decode()
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 6 and set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_what_others_wrote_is_text(tmp_path):
    told = events(classes=[HOSTILE, "1"])
    for event in told:
        if event["event"] == "edit":
            event["set"] = {"optimiser.lr": HOSTILE[:60]}
    told[-1]["reason"] = HOSTILE
    page = page_of(tmp_path, told, name=HOSTILE)
    read = Read(page)
    assert not read.open, "every tag is closed"
    tags = {tag for tag, _ in read.tags}
    assert "script" not in tags and len(read.all("img")) == 1
    assert not any(name.startswith("on") for _, attributes in read.tags for name in attributes)
    assert PICTURE in read.text and read.text.count("<script>") >= 4


def test_the_page_asks_for_nothing(tmp_path):
    page = page_of(tmp_path)
    read = Read(page)
    assert not [each for _, each in read.tags if {"href", "action", "srcset", "style"} & set(each)]
    (shown,) = read.all("img")
    kind, _, content = shown["src"].partition(",")
    assert kind == "data:image/png;base64" and base64.b64decode(content) == picture()
    policy = next(each["content"] for each in read.all("meta") if "http-equiv" in each)
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert "default-src 'none'" in policy and f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy and "url(" not in style and "@import" not in style


def test_a_run_that_ended_no_epoch_has_a_page_too(tmp_path):
    read = Read(page_of(tmp_path, [{"event": "state", "state": "failed", "reason": "No images."}]))
    assert "No epoch has ended" in read.text and "No images." in read.text and not read.all("svg")


@pytest.mark.browser
def test_a_browser_opens_the_page_without_a_network_and_runs_nothing(tmp_path):
    from playwright.sync_api import sync_playwright

    from tests.apart import apart
    from tests.e2e.browsing import launch

    path = tmp_path / "index.html"
    path.write_text(page_of(tmp_path, name=HOSTILE))
    said, asked = [], []

    def look():
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("dialog", lambda dialog: said.append("dialog"))
            page.on("request", lambda request: asked.append(request.url))
            page.goto(path.as_uri())
            assert page.locator("svg").count() == 3 and page.locator("img").count() == 1
            assert page.locator("img").evaluate("image => image.naturalWidth") == 24
            assert page.locator("h1").inner_text() == HOSTILE
            assert page.evaluate("getComputedStyle(document.querySelector('.figures')).display") == "flex"
            browser.close()

    apart(look)
    assert said == [] and all(each.startswith(("file:", "data:")) for each in asked)
