"""A run steered in a real browser: two tabs agree, presses repeat without harm, a dial by the keyboard."""

from __future__ import annotations

import re

import pytest
from browsing import open_page, ready
from playwright.sync_api import Browser, Page, expect
from test_e2e_app import WATCHED, start_watched, stop

pytestmark = pytest.mark.browser


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()


def test_two_tabs_agree_and_a_second_press_is_harmless(page: Page, browser: Browser, app: str) -> None:
    start_watched(page, app)
    other = open_page(browser)
    other.goto(page.url)
    expect(ready(other).get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).dblclick()
    for tab in (page, other):  # the second is not touched
        expect(tab.get_by_role("button", name="Resume", exact=True)).to_be_visible()
        expect(tab.get_by_text(re.compile("^Paused")).first).to_be_visible()
    press(other, "One batch")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
    press(other, "Resume")
    for tab in (page, other):
        expect(tab.get_by_text(re.compile("^Running")).first).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).dblclick()
    for tab in (page, other):
        expect(tab.get_by_text(re.compile("^Stopped")).first).to_be_visible()
    press(other, "Go on")
    for tab in (other, page):
        expect(tab.get_by_text(re.compile("^Running")).first).to_be_visible()
    stop(other)
    other.context.close()


def test_a_dial_by_the_keyboard_is_marked_on_the_charts_and_undone(page: Page, app: str) -> None:
    start_watched(page, app)
    rate = page.get_by_role("slider", name="Learning rate")
    rate.focus()
    rate.press("ArrowRight")
    said = page.get_by_text(re.compile("learning rate 0.001 → 0.002"))
    expect(said.first).to_be_visible()
    expect(rate).to_be_focused()  # another step of the dial needs no mouse
    page.wait_for_function(
        "[...document.querySelectorAll('.augury-chart .plot')].filter(plot =>"
        " (plot.layout?.annotations || []).some(each => (each.hovertext || '').includes('→'))).length >= 3"
    )
    press(page, "Undo")
    expect(page.get_by_text(re.compile("learning rate 0.002 → 0.001")).first).to_be_visible()
    expect(rate).to_have_attribute("aria-valuetext", re.compile("0.001"))
    stop(page)


def test_a_branch_has_both_curves_in_one_picture(page: Page, app: str) -> None:
    start_watched(page, app, WATCHED.model_copy(update={"seed": 5}))
    press(page, "Stop")
    expect(page.get_by_text(re.compile("^Stopped")).first).to_be_visible()
    page.get_by_role("button", name="Branch").click()
    page.get_by_role("button", name="Choose other settings").click()
    expect(page.get_by_text(re.compile("Branch.* of Watched")).first).to_be_visible()
    rate = page.get_by_role("slider", name="Learning rate")
    rate.focus()
    rate.press("ArrowLeft")
    press(page, "Start the branch")
    expect(page.get_by_role("link", name=re.compile("Branch of Watched"))).to_be_visible()
    page.wait_for_function(
        "[...document.querySelectorAll('.augury-chart .plot')].some(plot => {"
        " const names = (plot.data || []).filter(line => line.x?.length).map(line => line.name);"
        " return names.includes('parent, validation') && names.includes('validation'); })"
    )
    stop(page)
    page.get_by_role("link", name=re.compile("Branch of Watched")).click()
    expect(page.get_by_role("heading", name="Watched", exact=True)).to_be_visible()
