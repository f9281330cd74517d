"""The lab's small components in a real browser: the list of operations, before and after, pasting."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import ready
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Serve

pytestmark = pytest.mark.browser

DOT = base64.b64decode(  # a PNG of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PASTE = """(button, {type, texts}) => {
    const clipboardData = new DataTransfer();
    texts.forEach((text, index) => {
        const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
        clipboardData.items.add(new File([bytes], `${index}`, {type}));
    });
    const said = {clipboardData, bubbles: true, composed: true, cancelable: true};
    button.dispatchEvent(new ClipboardEvent('paste', said));
}"""


@pytest.fixture(scope="module")
def demo(serve: Serve) -> str:
    return serve("tests/e2e/apps/lab_components.py")


@pytest.fixture
def lab(page: Page, demo: str) -> Page:
    page.goto(demo)
    return shown(page)


def shown(page: Page) -> Page:
    ready(page)
    expect(rows(page)).to_have_count(4)
    expect(page.get_by_text("Run 1")).to_be_visible()
    return page


def rows(page: Page) -> Locator:
    return page.locator(".st-key-operations .row")


def titles(page: Page) -> Locator:
    return rows(page).locator(".title")


def handle(page: Page, title: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^Move {title}, place"))


def told(page: Page, name: str, what: str) -> None:
    """Waits until Python has been told exactly this."""
    expect(page.get_by_text(f"{name}:")).to_have_text(f"{name}: {what}" if what else f"{name}:")


def lift(page: Page, title: str, rows_down: float) -> None:
    """Drags a row by its handle, and does not let go yet."""
    box = handle(page, title).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 4, y + rows_down * 42, steps=6)


def test_a_row_is_dragged_to_another_place_or_let_go_with_escape(lab: Page) -> None:
    lift(lab, "Affine", 2)
    lab.keyboard.press("Escape")
    lab.mouse.up()
    expect(titles(lab).first).to_have_text("Affine")
    lift(lab, "Affine", 2.2)
    told(lab, "Acts", "")
    lab.mouse.up()
    expect(titles(lab)).to_have_text(["Horizontal flip", "Colour jiggle", "Affine", "Gaussian noise"])
    told(lab, "Rows", "flip, jiggle, affine, noise (off)")
    told(lab, "Acts", "move 0")
    lift(lab, "Gaussian noise", -9)  # further than the list is long
    lab.mouse.up()
    told(lab, "Rows", "noise (off), flip, jiggle, affine")
    assert rows(lab).evaluate_all("rows => rows.map(row => row.style.transform).join('')") == ""


@pytest.mark.parametrize("any_page", ["light-390"], indirect=True)
def test_a_row_is_moved_by_touch(any_page: Page, demo: str) -> None:
    any_page.goto(f"{demo}/?main")
    shown(any_page)
    box = handle(any_page, "Affine").bounding_box()
    assert box is not None
    x, y = box["x"] + 20, box["y"] + 20
    finger = any_page.context.new_cdp_session(any_page)
    for kind, down in (("touchStart", 0), ("touchMove", 40), ("touchMove", 80), ("touchEnd", None)):
        points = [] if down is None else [{"x": x, "y": y + down}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    told(any_page, "Rows", "flip, jiggle, affine, noise (off)")
    sizes = (
        rows(any_page)
        .locator("button:visible")
        .evaluate_all("nodes => nodes.map(node => Math.min(node.clientWidth, node.clientHeight))")
    )
    assert min(sizes) >= 44


def test_the_keyboard_moves_a_row_and_keeps_hold_of_it(lab: Page) -> None:
    handle(lab, "Affine").focus()
    lab.keyboard.press("ArrowUp")  # it is the first already
    lab.keyboard.press("ArrowDown")
    expect(handle(lab, "Affine")).to_be_focused()
    expect(lab.locator(".st-key-operations .said")).to_have_text("Affine moved to place 2 of 4")
    lab.keyboard.press("Alt+ArrowDown")
    told(lab, "Rows", "flip, jiggle, affine, noise (off)")
    told(lab, "Acts", "move 0, move 1")
    expect(handle(lab, "Affine")).to_be_focused()
    expect(handle(lab, "Affine")).to_have_accessible_name("Move Affine, place 3 of 4")
    lab.keyboard.press("ArrowUp")  # upwards it is this row that is put elsewhere, and would lose the focus
    expect(handle(lab, "Affine")).to_be_focused()
    told(lab, "Rows", "flip, affine, jiggle, noise (off)")
    expect(handle(lab, "Affine")).to_be_focused()


def test_every_act_is_told_once(lab: Page) -> None:
    pick = lab.get_by_role("button", name=re.compile("^Horizontal flip"))
    pick.focus()
    lab.keyboard.press("Enter")
    told(lab, "Selected", "flip")
    expect(pick).to_have_attribute("aria-current", "true")
    pick.click()  # is picked already: nothing to tell
    lab.keyboard.press("ArrowDown")
    expect(lab.get_by_role("button", name=re.compile("^Colour jiggle"))).to_be_focused()
    switch = lab.get_by_role("switch", name="Gaussian noise on")
    switch.focus()
    lab.keyboard.press("Space")
    expect(switch).to_be_checked()
    told(lab, "Acts", "select 1, toggle 3")
    lab.get_by_role("button", name="Duplicate Affine").click()
    told(lab, "Rows", "affine, copy-3, flip, jiggle, noise")
    lab.get_by_role("button", name="Remove Colour jiggle").click()
    told(lab, "Rows", "affine, copy-3, flip, noise")
    expect(lab.get_by_role("button", name=re.compile("^Gaussian noise"))).to_be_focused()
    acts = "select 1, toggle 3, duplicate 0, remove 3"
    told(lab, "Acts", acts)
    copy = lab.get_by_role("button", name="Duplicate Gaussian noise")
    for count in (5, 6):
        copy.first.click()
        expect(rows(lab)).to_have_count(count)
        expect(rows(lab).and_(lab.locator("[inert]"))).to_have_count(0)
    expect(copy.first).to_have_attribute("aria-disabled", "true")
    copy.first.click(force=True)  # the list is full: nothing to tell
    lab.get_by_role("switch", name="Horizontal flip on").click()
    told(lab, "Acts", f"{acts}, duplicate 3, duplicate 3, toggle 2")


def test_acts_on_a_slow_page_show_at_once_and_none_is_lost(page: Page, demo: str) -> None:
    page.goto(f"{demo}/?slow")
    shown(page)
    page.evaluate(
        """() => {
            window.orders = [];
            const find = (root) => root.querySelector('.rows') ?? [...root.querySelectorAll('*')]
                .map(node => node.shadowRoot && find(node.shadowRoot)).find(Boolean);
            const rows = find(document);
            const initials = () => [...rows.querySelectorAll('.title')].map(title => title.textContent[0]);
            const note = () => window.orders.push(initials().join(''));
            new MutationObserver(note).observe(rows, {childList: true});
        }"""
    )
    handle(page, "Affine").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.get_by_role("switch", name="Colour jiggle on").click()
    page.get_by_role("button", name="Duplicate Horizontal flip").click()
    page.get_by_role("button", name="Remove Gaussian noise").click()
    expect(titles(page)).to_have_text(
        ["Horizontal flip", "Horizontal flip", "Colour jiggle", "Affine"], timeout=500
    )
    told(page, "Rows", "flip, copy-5, jiggle (off), affine")
    told(page, "Acts", "move 0, move 1, move 2, toggle 1, duplicate 0, remove 3")
    orders = [order for order, _ in groupby(page.evaluate("window.orders"))]
    assert orders == ["HACG", "HCAG", "HCGA", "HHCGA", "HHCA"]  # nothing went back meanwhile


def test_the_divider_moves_and_stays_while_pictures_change(lab: Page) -> None:
    frame = lab.locator(".st-key-photo .compare")
    divider = lab.get_by_role("slider", name="How much is original")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    box = frame.bounding_box()
    assert box is not None
    lab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 50)
    lab.mouse.down()
    lab.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 60, steps=4)
    lab.mouse.up()
    lab.mouse.move(box["x"], box["y"])
    expect(divider).to_have_attribute("aria-valuenow", "80")
    expect(divider).to_be_focused()
    for key, value in (("ArrowRight", 82), ("ArrowLeft", 80), ("Home", 0), ("ArrowLeft", 0), ("End", 100)):
        lab.keyboard.press(key)
        expect(divider).to_have_attribute("aria-valuenow", str(value))
    lab.keyboard.press("PageDown")
    after = frame.locator(".after img")
    source = after.get_attribute("src")
    after.evaluate("image => (image.marked = true)")
    lab.get_by_role("button", name="New pictures").click()
    expect(after).not_to_have_attribute("src", str(source))
    assert after.evaluate("image => image.marked")
    expect(divider).to_have_attribute("aria-valuetext", "90 % original")
    line = divider.bounding_box()
    assert line is not None
    assert line["x"] + line["width"] / 2 == pytest.approx(box["x"] + 0.9 * box["width"], abs=1)
    expect(lab.get_by_alt_text("plain: A digit")).to_have_css("image-rendering", "pixelated")
    expect(lab.get_by_alt_text("augmented: A cat")).to_have_css("image-rendering", "auto")
    lab.set_viewport_size({"width": 2000, "height": 800})
    expect(frame).to_have_css("width", "448px")


def test_pasted_images_reach_python_as_they_are(lab: Page) -> None:
    button = lab.get_by_role("button", name="Paste an image")
    said = lab.locator(".st-key-paste .said")
    files = [DOT, DOT + b"\x00\xff and more"]
    texts = [base64.b64encode(file).decode() for file in files]
    button.evaluate(PASTE, {"type": "text/plain", "texts": texts})
    expect(said).to_contain_text("No image in the clipboard")
    button.evaluate(PASTE, {"type": "image/png", "texts": texts})
    digests = [hashlib.sha256(file).hexdigest()[:12] for file in files]
    told(lab, "Pasted", ", ".join(digests))
    expect(said).to_have_text("2 images pasted.")
    button.evaluate(PASTE, {"type": "image/webp", "texts": texts[:1] * 17})
    told(lab, "Pasted", f"{', '.join(digests)}; {', '.join(digests[:1] * 16)}")
    expect(said).to_contain_text("16 images pasted. 1 image left out: at most 16 at once")
    lab.get_by_role("button", name="New pictures").click()
    expect(lab.get_by_text("Run 4")).to_be_visible()
    told(lab, "Pasted", f"{', '.join(digests)}; {', '.join(digests[:1] * 16)}")  # each paste once


def test_the_button_reads_the_clipboard_or_says_why_not(lab: Page, demo: str) -> None:
    button, said = lab.get_by_role("button", name="Paste an image"), lab.locator(".st-key-paste .said")
    button.evaluate(
        """button => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(10 * 2 ** 20 + 1)], 'a', {type: 'image/png'}));
            button.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true, composed: true}));
        }"""
    )
    expect(said).to_contain_text("0 images pasted. 1 image left out")
    button.click()
    expect(said).to_contain_text("does not let the button read the clipboard")
    expect(button).to_be_focused()  # so that Ctrl+V goes there
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=demo)
    lab.evaluate(
        """async text => {
            const blob = await (await fetch(`data:image/png;base64,${text}`)).blob();
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }""",
        base64.b64encode(DOT).decode(),
    )
    button.click()
    expect(said).to_have_text("1 image pasted.")
    expect(lab.get_by_text("Pasted:")).to_have_text(re.compile(r"Pasted: [0-9a-f]{12}$"))


def test_the_lab_fits_every_theme_and_width(
    any_page: Page, demo: str, screenshot: Callable[[Page], Path]
) -> None:
    window = any_page.viewport_size
    assert window is not None
    any_page.goto(f"{demo}/?main" if window["width"] < 600 else demo)
    expect(rows(shown(any_page)).first).to_be_visible()
    expect(any_page.get_by_alt_text("augmented: A cat")).to_be_visible()
    screenshot(any_page)
    include = [[f".st-key-{key}"] for key in ("operations", "photo", "digit", "paste")]
    found = Axe().run(any_page, context={"include": include})
    assert [fault["id"] for fault in found.response["violations"]] == []
    main = any_page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") == 0
