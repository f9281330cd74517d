"""Charts and pictures that are updated in place, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import ready
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.conftest import Serve

pytestmark = pytest.mark.browser

PLOTLY = "**/plotly-cartesian.min.js*"
FETCHED = "performance.getEntriesByType('resource').filter(entry => entry.name.includes('plotly-cartesian'))"
PLOT = "document.querySelector('.augury-chart .plot')"


@pytest.fixture(scope="module")
def demo(serve: Serve) -> str:
    return serve("tests/e2e/apps/components.py")


@pytest.fixture
def charts(page: Page, demo: str) -> Page:
    page.goto(f"{demo}/?show=charts")
    return drawn(page)


@pytest.fixture
def pictures(page: Page, demo: str) -> Page:
    page.goto(f"{demo}/?show=pictures")
    expect(results(ready(page))).to_have_count(16)
    return page


def drawn(page: Page) -> Page:
    """Waits for the first chart to be drawn."""
    ready(page)
    expect(chart(page).locator(".main-svg").first).to_be_visible()
    return page


def chart(page: Page, alt: str = "Loss by epoch: ") -> Locator:
    return page.get_by_role("figure", name=alt)


def results(page: Page) -> Locator:
    return page.locator(".st-key-results figure")


def press(page: Page, button: str, times: int = 1) -> None:
    """Presses a button, and waits each time until everything of its run has arrived."""
    for _ in range(times):
        runs = int(page.get_by_text(re.compile(r"^Run \d+,")).inner_text().split()[1].rstrip(","))
        page.get_by_role("button", name=button).click()
        expect(page.get_by_text(re.compile(f"^Run {runs + 1},"))).to_be_visible()


def zoom(page: Page) -> None:
    """Drags over the epochs 4 to 12 of the first chart."""
    box = chart(page).locator(".nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 80, steps=5)
    page.mouse.up()
    page.wait_for_function(f"{PLOT}._fullLayout.xaxis.range[0] > 1")


def test_zoom_survives_ten_updates_on_the_same_node(charts: Page) -> None:
    nodes = charts.locator(".augury-chart .plot, .augury-chart .main-svg")
    nodes.evaluate_all("nodes => nodes.forEach(node => (node.marked = true))")
    count = nodes.count()
    zoom(charts)
    zoomed = charts.evaluate(f"{PLOT}._fullLayout.xaxis.range")
    assert zoomed == pytest.approx([4, 12], abs=0.3)
    before = charts.evaluate(f"{PLOT}.data[0].x.length")
    press(charts, "Update", times=10)
    charts.wait_for_function(f"{PLOT}.data[0].x.length == {before + 40}")
    assert charts.evaluate(f"{PLOT}._fullLayout.xaxis.range") == zoomed
    assert nodes.evaluate_all("nodes => nodes.filter(node => node.marked).length") == count


def test_a_line_switched_off_in_the_legend_stays_off(charts: Page) -> None:
    lines = chart(charts).locator(".scatterlayer .trace")
    expect(lines).to_have_count(3)
    chart(charts).locator(".legendtoggle").nth(1).click()
    expect(lines).to_have_count(2)
    before = charts.evaluate(f"{PLOT}.data[0].x.length")
    press(charts, "Update", times=2)
    charts.wait_for_function(f"{PLOT}.data[0].x.length == {before + 8}")
    expect(lines).to_have_count(2)


def test_what_the_mouse_points_at_stays_shown_while_a_fragment_polls(page: Page, demo: str) -> None:
    page.goto(f"{demo}/?show=charts&live")
    drawn(page)
    box = chart(page).locator(".nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    label = chart(page).locator(".hoverlayer .legend")
    expect(label).to_contain_text("validation")
    before = page.evaluate(f"{PLOT}.data[0].x.length")
    page.wait_for_function(f"{PLOT}.data[0].x.length >= {before + 16}")
    expect(label).to_contain_text("validation")


def test_a_run_with_nothing_new_draws_nothing(charts: Page) -> None:
    charts.evaluate(f"window.drawn = 0; {PLOT}.on('plotly_afterplot', () => window.drawn++)")
    press(charts, "Run again")
    charts.wait_for_timeout(300)
    assert charts.evaluate("window.drawn") == 0
    press(charts, "Update")
    charts.wait_for_function("window.drawn > 0")


def test_colours_follow_the_theme_and_a_change_of_it(charts: Page) -> None:
    def colours() -> dict[str, str]:
        return chart(charts).evaluate(
            """node => ({
                tick: getComputedStyle(node.querySelector('.xtick text')).fill,
                page: getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor,
                text: getComputedStyle(document.querySelector('[data-testid=stApp]')).color,
            })"""
        )

    light = colours()
    assert light["tick"] == light["text"]
    zoom(charts)
    charts.emulate_media(color_scheme="dark")
    expect(chart(charts).locator(".xtick text").first).not_to_have_css("fill", light["tick"])
    dark = colours()
    assert dark["page"] != light["page"]
    assert dark["tick"] == dark["text"]
    assert charts.evaluate(f"{PLOT}._fullLayout.xaxis.range[0]") > 1  # a new theme keeps the zoom
    # The figure says "var(--st-text-color)" for this line.
    whole = chart(charts, "Share of exact zeros").locator(".scatterlayer .trace path.js-line").last
    expect(whole).to_have_css("stroke", dark["text"])


def test_a_chart_keeps_its_place_before_plotly_is_there(page: Page, demo: str) -> None:
    held: list[Route] = []
    page.route(PLOTLY, lambda route: held.append(route))
    page.goto(f"{demo}/?show=charts")
    below = page.get_by_text("Folded away")
    expect(below).to_be_visible()
    expect(chart(page)).to_have_css("height", "320px")
    before = below.bounding_box()
    page.wait_for_timeout(100)
    assert len(held) == 1  # two charts ask once
    held[0].continue_()
    drawn(page)
    assert below.bounding_box() == before


def test_a_chart_that_cannot_be_drawn_says_so_and_tries_again(
    page: Page, demo: str, problems: list[str]
) -> None:
    page.route(PLOTLY, lambda route: route.fulfill(status=503))
    page.goto(f"{demo}/?show=charts")
    ready(page)
    expect(chart(page)).to_contain_text("could not be drawn")
    page.unroute(PLOTLY)
    press(page, "Update")
    drawn(page)
    expect(chart(page)).not_to_contain_text("could not be drawn")
    assert problems
    problems.clear()


def test_plotly_is_fetched_once_a_browser(charts: Page) -> None:
    """Half a megabyte the first time, compressed; then the browser's copy: Streamlit sends no validator."""
    (size,) = charts.evaluate(f"{FETCHED}.map(entry => entry.transferSize)")
    assert 3e5 < size < 8e5
    charts.reload()
    drawn(charts)
    assert charts.evaluate(f"{FETCHED}.map(entry => entry.transferSize)") == [0]


def test_a_chart_folded_away_is_drawn_when_it_is_opened(charts: Page) -> None:
    charts.get_by_text("Folded away").click()
    folded = chart(charts, "Loss by epoch, once more").locator(".main-svg").first
    expect(folded).to_be_visible()
    assert folded.evaluate("node => node.clientWidth") > 600


def test_everything_fits_every_theme_and_width(
    any_page: Page, demo: str, screenshot: Callable[[Page], Path]
) -> None:
    any_page.goto(demo)
    drawn(any_page)
    expect(results(any_page)).to_have_count(16)
    screenshot(any_page)
    include = [[f".st-key-{key}"] for key in ("loss", "sparsity", "batch", "originals", "results")]
    found = Axe().run(any_page, context={"include": include})
    assert [fault["id"] for fault in found.response["violations"]] == []
    main = any_page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") == 0
    wide = chart(any_page).evaluate("node => node.clientWidth")
    assert chart(any_page).locator(".main-svg").first.evaluate("node => node.clientWidth") == wide
    tops = results(any_page).evaluate_all("nodes => nodes.map(node => node.getBoundingClientRect().top)")
    assert tops.count(tops[0]) == (8 if any_page.evaluate("innerWidth") == 1280 else 2)


def test_pictures_are_swapped_on_the_same_nodes(pictures: Page) -> None:
    images = results(pictures).locator("img.after")
    images.evaluate_all("nodes => nodes.forEach(node => (node.marked = true))")
    before = images.evaluate_all("nodes => nodes.map(node => node.src)")
    place = results(pictures).last.bounding_box()
    press(pictures, "Update")
    expect(images.first).not_to_have_attribute("src", before[0])
    after = images.evaluate_all("nodes => nodes.map(node => node.src)")
    assert all(new != old for new, old in zip(after, before, strict=True))
    assert images.evaluate_all("nodes => nodes.filter(node => node.marked).length") == 16
    assert results(pictures).last.bounding_box() == place


def test_the_original_shows_on_hover_focus_and_press(pictures: Page) -> None:
    tile = results(pictures).nth(2)
    original = tile.locator(".before")
    expect(original).to_have_css("opacity", "0")
    tile.locator(".picture").hover()
    expect(original).to_have_css("opacity", "1")
    expect(tile.get_by_text("original", exact=True)).to_have_css("opacity", "1")
    pictures.mouse.move(5, 5)
    expect(original).to_have_css("opacity", "0")
    results(pictures).nth(1).locator(".picture").focus()
    pictures.keyboard.press("Tab")
    expect(original).to_have_css("opacity", "1")
    pictures.keyboard.press("Tab")
    expect(original).to_have_css("opacity", "0")
    original.evaluate("node => node.parentNode.dispatchEvent(new PointerEvent('pointerdown'))")
    expect(original).to_have_css("opacity", "1")
    original.evaluate("node => node.parentNode.dispatchEvent(new PointerEvent('pointercancel'))")
    expect(original).to_have_css("opacity", "0")


def test_small_pictures_keep_their_pixels_and_large_ones_are_smooth(pictures: Page) -> None:
    digit = pictures.locator(".st-key-batch img.after").first
    expect(digit).to_have_css("image-rendering", "pixelated")
    expect(results(pictures).locator("img.after").first).to_have_css("image-rendering", "auto")


def test_a_sprite_is_cut_into_its_pictures(pictures: Page) -> None:
    """The middle of the k-th frame must lie on the middle of the sprite's k-th eighth."""
    frames = pictures.locator(".st-key-batch .picture")
    middles = frames.evaluate_all(
        """nodes => nodes.map(node => {
            const sprite = node.querySelector('img.after').getBoundingClientRect();
            const frame = node.getBoundingClientRect();
            return (frame.left + frame.width / 2 - sprite.left) / sprite.width * 8;
        })"""
    )
    assert middles == pytest.approx([index + 0.5 for index in range(8)], abs=0.02)
