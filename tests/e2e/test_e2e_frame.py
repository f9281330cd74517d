"""What frames every page, in a real browser: the bar from page to page, and a telephone's sheet of dials."""

from __future__ import annotations

import pytest
from browsing import ready
from playwright.sync_api import Locator, Page, expect

from pages.features.frame.bar import PAGES

pytestmark = pytest.mark.browser

LABELS = [page.label for page in PAGES]
TOUCH = 44  # CSS pixels that a finger needs
OPEN = '[data-testid="stSidebar"][data-collapsed="false"]'


def link(page: Page, label: str) -> Locator:
    return page.locator(".st-key-bar").get_by_role("link", name=label, exact=True)


def test_the_bar_leads_from_page_to_page_without_a_reload(page: Page, app: str) -> None:
    page.goto(app)
    ready(page)
    page.evaluate("window.stays = true")
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    for label in ("Train", "Augment"):
        link(page, label).click()
        expect(page.get_by_role("heading", name=label)).to_be_visible()
        expect(page.get_by_test_id("stSidebar")).to_be_visible()
        bar, sidebar = (
            page.locator(".st-key-bar").bounding_box(),
            page.get_by_test_id("stSidebar").bounding_box(),
        )
        assert bar is not None and sidebar is not None
        assert bar["y"] == 0 and bar["height"] <= 44 and sidebar["y"] >= bar["height"]
        for each in (page.get_by_test_id("stMain"), page.get_by_test_id("stSidebarContent")):
            box = each.bounding_box()  # all of it can be scrolled to
            assert box is not None and box["y"] + box["height"] <= 800
    page.get_by_test_id("stSidebar").hover()
    page.get_by_test_id("stSidebarCollapseButton").click()
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()
    page.wait_for_timeout(500)  # that a sidebar takes to fold
    brand = link(page, "Augury").bounding_box()
    button = page.get_by_test_id("stExpandSidebarButton").bounding_box()
    assert brand is not None and button is not None and button["x"] + button["width"] <= brand["x"]
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.locator(OPEN)).to_be_visible()
    link(page, "Augury").click()
    expect(page.get_by_role("heading", name="Augury")).to_be_visible()
    assert page.evaluate("window.stays")


@pytest.mark.parametrize("query", ["hide=pages", "lock=1"])
def test_a_link_for_a_class_leaves_no_way_to_other_pages(page: Page, app: str, query: str) -> None:
    page.goto(f"{app}/Augment?{query}")
    expect(ready(page).locator(".st-key-results figure")).to_have_count(16)
    expect(page.locator(".st-key-bar").get_by_role("link")).to_have_count(0)
    main = page.get_by_test_id("stMain").bounding_box()
    assert main is not None and main["y"] == 0


def test_a_telephone_has_the_bar_at_the_bottom_for_a_thumb(telephone: Page, app: str) -> None:
    telephone.goto(f"{app}/Augment")
    ready(telephone)
    targets = [link(telephone, label) for label in LABELS]
    targets.append(telephone.get_by_role("button", name="Dials"))
    for target in targets:
        box = target.bounding_box()
        assert box is not None and min(box["width"], box["height"]) >= TOUCH and box["y"] > 844 * 0.9
    expect(link(telephone, "Augury")).to_be_hidden()
    dials = telephone.get_by_role("button", name="Dials")
    expect(dials).to_have_attribute("aria-expanded", "true")  # who comes by a link sees the dials
    dials.tap()
    expect(dials).to_have_attribute("aria-expanded", "false")
    expect(telephone.locator(OPEN)).to_have_count(0)
    dials.tap()
    expect(telephone.locator(OPEN)).to_be_visible()
    link(telephone, "Train").tap()
    expect(telephone.get_by_role("heading", name="Train")).to_be_visible()
    expect(telephone.locator(OPEN)).to_have_count(0)  # a form is read before its dials are turned
    link(telephone, "Start").tap()
    expect(telephone.get_by_role("heading", name="Augury")).to_be_visible()
    expect(dials).to_have_count(0)


def test_one_tap_beside_the_open_sheet_does_what_it_says(telephone: Page, app: str) -> None:
    telephone.goto(f"{app}/Augment")
    picture = ready(telephone).locator(".st-key-results .picture").first
    expect(picture).to_be_visible()
    expect(telephone.locator(OPEN)).to_be_visible()
    before = picture.bounding_box()
    picture.tap()
    telephone.wait_for_timeout(500)  # that a sidebar takes to fold
    expect(telephone.locator(OPEN)).to_be_visible()
    assert picture.bounding_box() == before
    telephone.goto(f"{app}/Train")
    ready(telephone).get_by_role("button", name="Dials").tap()
    expect(telephone.locator(OPEN)).to_be_visible()
    start = telephone.get_by_role("button", name="Start training")
    start.tap()
    expect(telephone.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(telephone.locator(OPEN)).to_have_count(0)
    telephone.get_by_role("button", name="Stop", exact=True).tap()
    expect(telephone.get_by_text("Change something and train again")).to_be_visible()


def test_presenter_size_makes_all_letters_larger_on_every_page(page: Page, app: str) -> None:
    def in_chart() -> float:
        text = page.locator(".augury-chart .bartext", has_text="fc1")
        expect(text).to_be_visible()
        return float(text.evaluate("text => parseFloat(getComputedStyle(text).fontSize)"))

    def letters() -> float:
        return float(page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)"))

    page.goto(f"{app}/Train")
    ready(page)
    before = in_chart()
    assert letters() == 16
    page.get_by_role("button", name="Share").click()
    page.get_by_text("Presenter size").click()
    page.wait_for_url("**size=presenter**")
    page.wait_for_function("parseFloat(getComputedStyle(document.documentElement).fontSize) > 18")
    page.wait_for_function(
        """before => [...document.querySelectorAll('.augury-chart .bartext')].some(text =>
            text.textContent === 'fc1' && parseFloat(getComputedStyle(text).fontSize) > 1.15 * before)""",
        arg=before,
    )
    page.keyboard.press("Escape")
    link(page, "Augment").click()
    expect(page.get_by_role("heading", name="Augment")).to_be_visible()
    assert letters() > 18
    page.wait_for_url("**size=presenter**")
    page.reload()
    expect(ready(page).get_by_role("heading", name="Augment")).to_be_visible()
    assert letters() > 18
    page.get_by_role("button", name="Share").click()
    page.get_by_text("Presenter size").click()
    page.wait_for_function("parseFloat(getComputedStyle(document.documentElement).fontSize) === 16")
