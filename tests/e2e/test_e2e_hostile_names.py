"""Names that would be links, pictures and headings, in a real browser: they are read as they were typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import ready
from playwright.sync_api import Page, expect

from tests import hostile

pytestmark = pytest.mark.browser

SHORT = {
    "data": {"name": "digits"},
    "model": {"arch": "mlp", "params": {"hidden": [8]}},
    "train": {"epochs": 1},
}
NAME = f"{hostile.PICTURE}\n# [S](http://evil.example) :red[h] $x$ <b>"
FOREIGN = (
    "nodes => nodes.map(node => node.href ?? node.src).filter(to => /(tracker|evil)\\.example/.test(to))"
)


def as_typed(page: Page, *texts: str) -> None:
    """Each of the texts can be read, and nothing is made of it."""
    for text in texts:
        expect(page.get_by_text(" ".join(text.split())).first).to_be_visible()
    assert page.locator("a, img").evaluate_all(FOREIGN) == []
    expect(page.locator("h1")).to_have_count(1)


def test_names_are_read_as_they_were_typed_on_every_page(page: Page, app: str) -> None:
    page.goto(f"{app}/Train?spec={hostile.link({**SHORT, 'name': NAME})}")
    ready(page).get_by_role("button", name="Start training").click()
    expect(page.get_by_text(re.compile("^Finished"))).to_be_visible()
    as_typed(page, NAME)
    page.goto(app)
    as_typed(ready(page), NAME)


@pytest.mark.parametrize("choices", hostile.REFUSED[:2])
def test_a_link_that_is_refused(page: Page, app: str, choices: dict) -> None:
    page.goto(f"{app}/Train?spec={hostile.link(choices)}")
    name = hostile.LINK if hostile.LINK in str(choices) else hostile.PICTURE
    as_typed(ready(page), name)


def test_the_files_of_a_zip(page: Page, app: str, tmp_path: Path) -> None:
    page.goto(f"{app}/Train?spec={hostile.link({'data': {'name': 'folder'}})}")
    (tmp_path / "names.zip").write_bytes(hostile.zipped())
    ready(page).locator("input[type=file]").first.set_input_files(tmp_path / "names.zip")
    as_typed(page, hostile.BAD_FILE, hostile.OTHER_FILE, hostile.CLASSES[0])
