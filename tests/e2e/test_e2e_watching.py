"""A run as it is watched: charts keep what a person chose, the tab's title, everything on one screen."""

from __future__ import annotations

import re
import time

import pytest
from browsing import ready
from playwright.sync_api import Page, expect
from test_e2e_app import loss_chart, start_watched, stop

pytestmark = pytest.mark.browser

COUNT = "plot => { plot.updates = 0; plot.on('plotly_afterplot', () => plot.updates++) }"


def test_zoom_hover_and_legend_survive_twenty_updates_at_two_a_second(page: Page, app: str) -> None:
    start_watched(page, app)
    node = loss_chart(page).locator(".plot").element_handle()
    assert node is not None
    loss_chart(page).locator(".legendtoggle").first.click()
    page.wait_for_function("plot => plot.data[0].visible === 'legendonly'", arg=node)
    box = loss_chart(page).locator(".nsewdrag").first.bounding_box()  # the second is the strip of λ
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 100, steps=5)
    page.mouse.up()
    page.wait_for_function("plot => plot.layout.xaxis.range[1] < 900", arg=node)
    zoomed = page.evaluate("plot => plot.layout.xaxis.range", node)
    page.mouse.move(box["x"] + 8, box["y"] + 60)
    expect(loss_chart(page).locator(".hoverlayer .legend, .hoverlayer .hovertext").first).to_be_attached()
    page.evaluate(COUNT, node)
    began = time.monotonic()
    page.wait_for_function("plot => plot.updates >= 20", arg=node)
    seconds = time.monotonic() - began
    print(f"{20 / seconds:.1f} updates a second")
    assert seconds < 20  # half the speed that is aimed at, for the machine trains besides
    assert page.evaluate("plot => plot.isConnected", node)
    assert page.evaluate("plot => plot.layout.xaxis.range", node) == zoomed
    assert page.evaluate("plot => plot.data[0].visible", node) == "legendonly"
    expect(loss_chart(page).locator(".hoverlayer .legend, .hoverlayer .hovertext").first).to_be_attached()
    stop(page)


def test_the_tabs_title_tells_of_the_run_and_of_no_other_page(page: Page, app: str) -> None:
    start_watched(page, app)
    expect(page).to_have_title(re.compile(r"^▶ \d+ % · Watched$"))
    stop(page)
    expect(page.get_by_test_id("stToast")).to_contain_text("Watched was stopped")
    expect(page).to_have_title(re.compile(r"^■ \d+\.\d % · Watched$"))
    page.get_by_role("link", name="Augment").first.click()
    expect(page).to_have_title("Augment · Augury")
    page.wait_for_timeout(1500)  # a late turn of the run's page would change it again
    expect(page).to_have_title("Augment · Augury")


def test_the_validation_images_stand_on_the_first_screen_and_stay_chosen(page: Page, app: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    start_watched(page, app)
    page.locator(".st-key-watched").get_by_text("Validation").click()
    pictures = page.locator(".tiles.rows figure")
    expect(pictures).to_have_count(12)
    expect(page.get_by_text(re.compile("After epoch \\d+: \\d+ of the same 12 correct"))).to_be_visible()
    page.wait_for_timeout(2000)  # some refreshes
    boxes = [each.bounding_box() for each in pictures.all()]
    assert all(box and box["y"] > 0 and box["y"] + box["height"] <= 720 for box in boxes)
    ready(page)
    stop(page)


def test_another_tab_of_a_run_that_goes_on_is_kept_up_to_date_and_is_in_the_address(
    page: Page, app: str
) -> None:
    start_watched(page, app)
    epoch = page.get_by_text(re.compile(r"^Running · epoch \d+ of 1000"))
    page.get_by_role("tab", name="Sparsity").click()
    expect(page.get_by_role("figure", name=re.compile("^Map of exact zeros"))).to_be_visible()
    expect(loss_chart(page)).to_have_count(0)
    before = epoch.inner_text()
    expect(epoch).not_to_have_text(before)
    page.get_by_role("tab", name="Inside").click()
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_text("What each unit of the first layer looks for")).to_be_visible()
    page.wait_for_url(lambda url: "look=Inside" in url and "inside=Filters" in url)
    page.reload()
    expect(page.get_by_text("What each unit of the first layer looks for")).to_be_visible()
    page.get_by_role("tab", name="Overview").click()
    expect(loss_chart(page).locator(".main-svg").first).to_be_visible()
    stop(page)
    page.get_by_role("tab", name="Compress").click()
    page.get_by_role("button", name="Choose a regulariser and train again").click()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
