"""Choosing λ in a real browser: asked for, trained by a real process, picked on the chart."""

from __future__ import annotations

import re

import pytest
from browsing import ready
from playwright.sync_api import Locator, Page, expect

from core.run.address import decode, encode
from core.run.spec import DataSpec, ModelSpec, OptimiserSpec, RegulariserSpec, RunSpec

pytestmark = pytest.mark.browser

SPEC = RunSpec(
    data=DataSpec(name="digits", train_images=200),
    model=ModelSpec(params={"channels": [4], "hidden": 16}),
    regularisers=(RegulariserSpec(kind="l1", strength=1e-4),),
    optimiser=OptimiserSpec(kind="adam"),
)


def strength(address: str) -> float | None:
    """λ of the spec in an address."""
    match = re.search(r"spec=([^&]+)", address)
    return decode(match[1]).regularisers[0].strength if match else None


def chart(page: Page) -> Locator:
    return page.get_by_role("figure", name="Lines: accuracy and zeros against λ")


def wait_for_strength(page: Page, value: float) -> None:
    expect(page.get_by_role("slider", name="Strength λ").first).to_have_attribute(
        "aria-valuetext", f"{value:g}"
    )
    page.wait_for_url(lambda address: strength(address) == value)


def test_a_path_is_trained_and_a_click_on_it_sets_the_form(page: Page, app: str) -> None:
    page.goto(f"{app}/Train?spec={encode(SPEC)}")
    ready(page)
    page.get_by_role("button", name="Try 8 values of λ").click()
    expect(page.get_by_text("A quick look, not the final numbers")).to_be_visible(timeout=120_000)
    area = chart(page).locator(".nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    # The axis spans log10 λ from -5.2 to about -1.3; 10^-3 lies in between. Anywhere above it will do.
    where = {"x": box["width"] * (-3 + 5.2) / (-1.523 + 0.2 + 5.2), "y": box["height"] * 0.5}
    area.hover(position=where)
    expect(chart(page).locator(".hoverlayer")).to_contain_text("λ = 0.001")
    area.click(position=where)
    wait_for_strength(page, 1e-3)
    page.get_by_role("radio", name="0.003").click()
    wait_for_strength(page, 3e-3)

    # An equal path is trained once: to whoever comes with another λ or name it is there.
    page.goto(f"{app}/Train?spec={encode(SPEC.model_copy(update={'name': 'Another'}))}")
    expect(ready(page).get_by_text("A quick look, not the final numbers")).to_be_visible()
