"""A run is taken away in a real browser: every file of the catalogue is made, downloaded, and opened."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import open_page, ready
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from safetensors.numpy import load as load_safetensors

from core.export.catalogue import EXPORTS
from core.run.address import encode
from core.run.spec import parse

pytestmark = pytest.mark.browser

TINY = parse(
    {
        "name": "Taken <away>",
        "data": {"name": "digits", "train_images": 200},
        "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16}},
        "regularisers": [{"kind": "l1", "strength": 1e-3}, {"kind": "quantisation"}],  # to be packed, too
        "train": {"epochs": 3},
    }
)
MADE_IN = 90_000  # milliseconds that a file may take, on a machine that is busy


def onnx(content: bytes) -> None:
    import onnx

    onnx.checker.check_model(onnx.load_from_string(content))


def png(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.verify()


def table(content: bytes) -> None:
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert rows and all(None not in row for row in rows)


def parquet(content: bytes) -> None:
    import pyarrow.parquet

    assert pyarrow.parquet.read_table(io.BytesIO(content)).num_rows > 0


def archive(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        assert files.testzip() is None and files.namelist()
        for name in files.namelist():
            opened(name, files.read(name))


def numbers(content: bytes) -> None:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        assert all(arrays[name].size for name in arrays.files)


def page_of_html(content: bytes) -> None:
    assert content.lower().startswith(b"<!doctype html>")


def events_of_tensorboard(content: bytes) -> None:
    length = int.from_bytes(content[:8], "little")  # of the first record: which version of the format it is
    assert b"brain.Event:" in content[12 : 12 + length]


# Who adds a kind of file says here how it is opened.
READERS: dict[str, Callable[[bytes], object]] = {
    ".csv": table,
    ".html": page_of_html,
    ".ipynb": json.loads,
    ".json": json.loads,
    ".jsonl": lambda content: [json.loads(line) for line in content.splitlines()],
    ".md": bytes.decode,
    ".npz": numbers,
    ".onnx": onnx,
    ".parquet": parquet,
    ".png": png,
    ".py": lambda content: compile(content, "taken", "exec"),
    ".safetensors": load_safetensors,
    ".sha256": lambda content: int(content.split()[0], 16),
    ".svg": ElementTree.fromstring,
    ".txt": bytes.decode,
    ".zip": archive,
}


def opened(name: str, content: bytes) -> None:
    """Read a file by its kind, as whoever downloads it would.

    Raises:
        KeyError: nobody has said how such a file is opened.
    """
    assert content, name
    read = events_of_tensorboard if "tfevents" in name else READERS[Path(name).suffix]
    read(content)


@pytest.fixture(scope="module")
def run(app: str, browser: Browser) -> str:
    """The address of a run that has ended: the same settings once more would only be offered as it is."""
    page = open_page(browser)
    page.goto(f"{app}/Train?spec={encode(TINY)}")
    ready(page).get_by_role("button", name="Start training").click()
    ended = page.get_by_role("button", name="Change something and train again")
    expect(ended).to_be_attached(timeout=MADE_IN)
    address = page.url
    page.context.close()
    return address


def open_run(page: Page, run: str) -> None:
    page.goto(run)
    ready(page)
    expect(page.get_by_role("button", name="Change something and train again")).to_be_attached()


def made(page: Page, kind: str, to: Path) -> Path:
    """Press Make, wait, press Download; the file."""
    box = page.locator(f".st-key-export_{kind}")
    box.get_by_role("button", name="Make", exact=True).click()
    link = box.get_by_role("link", name=re.compile("^Download"))
    expect(link).to_be_visible(timeout=MADE_IN)
    with page.expect_download() as told:
        link.click()
    path = to / told.value.suggested_filename
    told.value.save_as(path)
    return path


def test_every_file_is_made_downloaded_and_opened(page: Page, run: str, tmp_path: Path) -> None:
    open_run(page, run)
    accuracy = page.get_by_test_id("stMetricValue").first.inner_text()
    page.get_by_role("tab", name="Take away").click()
    page.get_by_label("Question").fill("Does <b>L1</b> help?")
    files = {kind: made(page, kind, tmp_path) for kind in EXPORTS}
    for kind, path in files.items():
        assert path.name.startswith("augury-") and f"-{kind}." in path.name
        opened(path.name, path.read_bytes())
    report = files["report"].read_text(encoding="utf-8")
    assert "Does &lt;b&gt;L1&lt;/b&gt; help?" in report and accuracy in report
    last = list(csv.DictReader(io.StringIO(files["csv"].read_text())))[-1]
    assert f"{100 * float(last['validation_accuracy_share']):.1f} %" == accuracy
    expect(page.get_by_label("Question")).to_have_value("Does <b>L1</b> help?")


def test_the_report_opens_anywhere_without_a_network_and_prints(
    page: Page, run: str, tmp_path: Path, browser: Browser
) -> None:
    open_run(page, run)
    page.get_by_role("tab", name="Take away").click()
    path = made(page, "report", tmp_path)
    context = browser.new_context(offline=True)
    other, said, asked = context.new_page(), [], []
    other.on("console", lambda message: said.append(message.text))
    other.on("request", lambda request: asked.append(request.url))
    other.goto(path.as_uri())
    assert other.title() == "Taken <away> · Augury" and said == [] and asked == [path.as_uri()]
    formula = other.locator("math").first.bounding_box()
    assert formula is not None and formula["width"] > 50 and formula["height"] > 10
    for width in (1280, 390):
        other.set_viewport_size({"width": width, "height": 844})
        assert other.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    charts = other.locator("figure svg")
    assert charts.count() >= 3 and all(charts.nth(i).bounding_box() for i in range(charts.count()))
    with other.expect_download() as told:
        other.get_by_role("link", name="Settings").click()
    told.value.save_as(tmp_path / "settings.json")
    assert parse((tmp_path / "settings.json").read_text()).name == TINY.name
    printed = other.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF") and 2 <= printed.count(b"/Type /Page\n") <= 8
    context.close()


def test_a_live_chart_is_saved_as_a_picture_with_its_units_and_n(
    page: Page, run: str, tmp_path: Path
) -> None:
    open_run(page, run)
    chart = page.get_by_role("figure", name=re.compile("train and validation accuracy"))
    expect(chart.locator(".main-svg").first).to_be_visible()
    chart.hover()
    saved = {}
    for form in ("PNG", "SVG"):
        with page.expect_download() as told:
            chart.locator(f'[data-title="Save as {form}"]').click()
        saved[form] = tmp_path / told.value.suggested_filename
        told.value.save_as(saved[form])
    with Image.open(saved["PNG"]) as image:
        assert min(image.size) > 300
    words = " ".join("".join(ElementTree.fromstring(saved["SVG"].read_text()).itertext()).split())
    assert "accuracy (%)" in words and "epoch" in words
    assert re.search(r"After epoch 3:\s*[\d.]+ % \([\d,]+ of [\d,]+;", words)
