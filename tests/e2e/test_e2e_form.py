"""Train's form in a real browser: marks that move nothing, undo by the keyboard, pictures beside dials."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_page, ready
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

pytestmark = pytest.mark.browser


def open_form(page: Page, app: str) -> Page:
    page.goto(f"{app}/Train")
    expect(ready(page).get_by_role("heading", name="Objective")).to_be_visible()
    if page.viewport_size and page.viewport_size["width"] < 600:
        page.get_by_role("button", name="Dials").tap()
    return page


def place(node: Locator) -> dict[str, float]:
    box = node.bounding_box()
    assert box is not None
    return dict(box)


def part(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_test_id("stExpander").filter(has_text=name).first


def test_a_changed_field_is_undone_by_the_keyboard_and_nothing_moves(any_page: Page, app: str) -> None:
    page = open_form(any_page, app)
    part(page, "Budget").locator("summary").click()
    epochs = page.get_by_role("spinbutton", name="Epochs")
    batch = page.get_by_role("slider", name="Batch size (images)")
    batch.scroll_into_view_if_needed()
    before = place(batch)["y"] - place(epochs)["y"]
    epochs.fill("3")
    epochs.press("Enter")
    undo = page.get_by_role("button", name="Put epochs back to 10")
    expect(undo).to_be_visible()
    assert place(batch)["y"] - place(epochs)["y"] == before
    assert min(place(undo)["width"], place(undo)["height"]) >= 24  # WCAG 2.2, target size
    expect(part(page, "Budget").locator("summary")).to_contain_text("1 changed")
    expect(part(page, "Budget").locator("details")).to_have_attribute("open", "")
    found = Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []
    undo.focus()
    page.keyboard.press("Enter")
    expect(undo).to_have_count(0)
    expect(epochs).to_have_value("10")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_first_images_stay_in_sight_beside_the_dial_that_changes_them(any_page: Page, app: str) -> None:
    page = open_form(any_page, app)
    pictures = page.locator(".st-key-first_batch img")
    expect(pictures.nth(7)).to_be_attached()
    before = pictures.evaluate_all("images => images.map(image => image.src)")
    part(page, "Augmentation").locator("summary").first.click()
    add = page.get_by_role("combobox", name="Add an operation")
    add.click()  # it waits until the part has opened
    added = page.get_by_text("First batch: vertical flip.")
    for _ in range(5):  # a list closes when what is behind it scrolls, as it does while the part opens
        add.fill("")
        add.fill("vertical flip")
        with suppress(TimeoutError):
            page.get_by_role("option", name="Vertical flip").wait_for(timeout=3_000)
            add.press("Enter")
            added.wait_for(timeout=3_000)
            break
    expect(added).to_be_visible()
    dial = part(page, "Augmentation").get_by_role("slider", name="Probability")
    dial.scroll_into_view_if_needed()
    dial.focus()
    page.keyboard.press("End")
    for i, as_it_is in enumerate(before):  # a flip at probability 1 changes each of them
        expect(pictures.nth(i)).not_to_have_attribute("src", as_it_is)
    shown = place(page.locator(".st-key-first_batch"))
    assert page.viewport_size is not None
    assert shown["y"] + shown["height"] <= place(dial)["y"] < page.viewport_size["height"]
    for i in range(8):
        expect(page.locator(".st-key-first_batch .picture").nth(i)).to_be_in_viewport(ratio=1)
        assert place(page.locator(".st-key-first_batch .picture").nth(i))["width"] <= 64.5


def test_a_zip_of_photographs_becomes_a_trained_network_by_the_mouse(page: Page, app: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for i in range(60):
            picture = io.BytesIO()
            kind = ("apple", "leaf", "mug")[i % 3]
            colour = {"apple": (200, i, 0), "leaf": (0, 200, i), "mug": (i, 0, 200)}[kind]
            Image.new("RGB", (60 + i, 90 - i // 2), colour).save(picture, "JPEG")
            archive.writestr(f"photos/{kind}/{i}.jpg", picture.getvalue())
        archive.writestr("photos/apple/.DS_Store", b"x")
    open_form(page, app)
    page.get_by_role("combobox", name="Images").click()
    page.get_by_role("option", name="Your own images").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").get_by_test_id("stBaseButton-secondary").click()
    chooser.value.set_files({"name": "x.zip", "mimeType": "application/zip", "buffer": content.getvalue()})
    expect(page.get_by_text("3 classes")).to_be_visible()
    expect(page.get_by_text("Left out 1 hidden or system file")).to_be_visible()
    page.get_by_role("link", name="Augment").first.click()  # and the images come along
    expect(page.locator(".st-key-results figure").first).to_contain_text("apple")
    expect(page.locator(".st-key-results figure").nth(1)).to_contain_text("leaf")
    page.get_by_role("button", name="Train with this").click()
    expect(page.get_by_text("3 classes")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=90_000)
    expect(page.get_by_role("link", name="Weights")).to_be_visible()


def test_loose_pictures_are_there_after_train_and_after_a_reload(
    page: Page, app: str, browser: Browser
) -> None:
    content = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(content, "PNG")
    page.goto(f"{app}/Augment")
    expect(ready(page).locator(".st-key-results figure")).to_have_count(16)
    page.get_by_text("Yours", exact=True).click()
    given = {"name": "a.png", "mimeType": "image/png", "buffer": content.getvalue()}
    page.locator("input[type=file]").first.set_input_files(given)
    expect(page.get_by_text("This picture has no labels; Train uses MNIST")).to_be_visible()
    page.get_by_role("button", name="Train with this").click()
    expect(page.get_by_role("heading", name="Objective")).to_be_visible()
    page.get_by_role("link", name="Augment").first.click()
    expect(page.get_by_text("This picture has no labels")).to_be_visible()
    page.goto(f"{app}/Augment?images=Yours")  # a visit of its own to the server
    expect(page.get_by_text("This picture has no labels")).to_be_visible()
    other = open_page(browser)
    other.goto(page.url)
    expect(other.get_by_text("Until you choose some")).to_be_visible()
    other.context.close()
