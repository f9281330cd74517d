"""The augmentation lab in a real browser: every tab, by the keyboard alone, and as a class sees it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from addresses import pipeline
from axe_playwright_python.sync_playwright import Axe
from browsing import ready
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from core.augment.catalogue import OPERATIONS
from core.run.address import encode
from core.run.spec import RunSpec, parse

pytestmark = pytest.mark.browser

TABS = ["Grid", "One image", "Sweep", "Masks and boxes", "Does it lie?", "Cost", "Take it home"]
SHOWN = {
    "Grid": ".st-key-results figure",
    "One image": ".st-key-stages figure",
    "Sweep": ".st-key-sweep figure",
    "Masks and boxes": ".st-key-targets figure",
    "Does it lie?": "text=What a trained network says",
    "Cost": "text=Microseconds an image",
    "Take it home": "text=import kornia",
}


def address_comes_to_hold(page: Page, *ops: tuple[str, float | None]) -> None:
    """Waits for an address with these operations; a probability is None if it is the catalogue's."""
    wanted = [(op, OPERATIONS[op].default_p if p is None else p) for op, p in ops]
    page.wait_for_url(lambda url: [(op.op, op.p) for op in pipeline(url)] == wanted)


def open_lab(page: Page, app: str, query: str = "") -> Page:
    page.goto(f"{app}/Augment{query}")
    expect(ready(page).locator(".st-key-results figure")).to_have_count(16)
    return page


def test_every_tab_in_every_theme_and_width(
    any_page: Page, app: str, screenshot: Callable[[Page], Path]
) -> None:
    open_lab(any_page, app)
    for name in TABS:
        any_page.get_by_role("tab", name=name).click()
        expect(any_page.locator(SHOWN[name]).first).to_be_visible()
        expect(any_page.get_by_test_id("stException")).to_have_count(0)
        found = Axe().run(any_page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == [], name
        wide = any_page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth > innerWidth")
        assert not wide, name
    screenshot(any_page)


def test_a_pipeline_is_made_by_the_keyboard_alone(page: Page, app: str) -> None:
    open_lab(page, app, f"?spec={encode(RunSpec())}")
    page.get_by_role("combobox", name="Add an operation").focus()
    page.keyboard.type("vertical")
    page.keyboard.press("Enter")
    rows = page.locator(".st-key-operations .row")
    expect(rows).to_have_count(1)
    page.get_by_role("combobox", name="Add an operation").focus()
    page.keyboard.type("gamma")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    rows.nth(1).locator(".handle").focus()
    page.keyboard.press("ArrowUp")
    expect(rows.first.locator(".title")).to_have_text("Gamma")
    expect(page.get_by_role("button", name="Undo move gamma")).to_be_visible()
    address_comes_to_hold(page, ("RandomGamma", None), ("RandomVerticalFlip", None))
    slider = page.get_by_role("slider", name="Probability").first
    slider.focus()
    page.keyboard.press("Home")
    address_comes_to_hold(page, ("RandomGamma", 0.0), ("RandomVerticalFlip", None))
    page.get_by_role("button", name="Undo move gamma").focus()
    page.keyboard.press("Enter")
    expect(rows.first.locator(".title")).to_have_text("Vertical flip")


def test_a_pasted_picture_is_augmented(page: Page, app: str) -> None:
    open_lab(page, app)
    page.get_by_text("Yours", exact=True).click()
    button = page.locator(".st-key-augment-paste button")
    expect(button).to_be_visible()
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(picture, "PNG")
    button.evaluate(
        """(button, text) => {
            const clipboardData = new DataTransfer();
            const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
            clipboardData.items.add(new File([bytes], 'a.png', {type: 'image/png'}));
            button.dispatchEvent(new ClipboardEvent('paste',
                {clipboardData, bubbles: true, composed: true, cancelable: true}));
        }""",
        base64.b64encode(picture.getvalue()).decode(),
    )
    expect(page.locator(".st-key-results").get_by_text("yours 1").first).to_be_visible()
    page.get_by_role("button", name="Forget 1 picture").click()
    expect(page.locator(".st-key-results").get_by_text("astronaut").first).to_be_visible()


def test_a_class_sees_the_dials_that_were_left(page: Page, app: str) -> None:
    spec = parse({"augment": {"ops": [{"op": "RandomRotation", "p": 1.0}]}})
    open_lab(page, app, f"?spec={encode(spec)}&lock=1&dials=RandomRotation-0-degrees")
    expect(page.get_by_role("slider")).to_have_count(2)  # the two ends of one range
    expect(page.get_by_role("button", name="Train with this")).to_have_count(0)
    expect(page.get_by_role("link", name="Train")).to_have_count(0)
    first = page.locator(".st-key-results img").first
    before = first.get_attribute("src")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("Home")
    page.wait_for_function("([image, before]) => image.src !== before", arg=[first.element_handle(), before])


def test_costs_are_measured_beside_the_page_and_found_again(page: Page, app: str) -> None:
    def chart() -> Locator:
        return page.get_by_role("figure", name="Bars: microseconds an image")

    open_lab(page, app)
    page.get_by_role("tab", name="Cost").click()
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.get_by_text("The whole pipeline takes")).to_be_visible(timeout=60_000)
    expect(chart()).to_be_visible()
    page.reload()
    expect(ready(page).get_by_text("The whole pipeline takes")).to_be_visible()

    # A dial that is moved while it is measured: another pipeline, nothing of which is known yet.
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    strength = page.get_by_role("slider", name="Strength (×)").first
    strength.press("ArrowLeft")
    expect(page.get_by_role("button", name="Measure")).to_be_visible()
    page.wait_for_timeout(4_000)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(chart()).to_have_count(0)
    strength.press("ArrowRight")
    expect(page.get_by_text("The whole pipeline takes")).to_be_visible(timeout=60_000)


def test_on_a_telephone_a_dial_and_the_pictures_it_changes_are_in_sight_together(
    telephone: Page, app: str
) -> None:
    page = open_lab(telephone, app)
    page.wait_for_function(
        """() => {
            const box = document.querySelector('[data-testid="stSidebar"]').getBoundingClientRect();
            return box.x === 0 && box.width === innerWidth;
        }"""
    )
    sheet = page.get_by_test_id("stSidebar").bounding_box()
    assert sheet is not None and sheet["y"] > 844 / 2
    pictures = page.locator(".st-key-results figure:visible")
    expect(pictures).to_have_count(4)
    last = pictures.last.bounding_box()
    assert last is not None and last["y"] + last["height"] <= sheet["y"]
    dial = page.get_by_role("slider", name="Probability").first
    dial.scroll_into_view_if_needed()  # within the sheet
    picture = page.locator(".st-key-results img").first
    before = picture.get_attribute("src")
    dial.focus()
    page.keyboard.press("Home")
    expect(picture).not_to_have_attribute("src", before or "")
    shown, moved = picture.bounding_box(), dial.bounding_box()
    assert shown is not None and moved is not None
    assert shown["y"] >= 0 and shown["y"] + shown["height"] <= sheet["y"] <= moved["y"] <= 844
    assert page.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollTop") == 0
