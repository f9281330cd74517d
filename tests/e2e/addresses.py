"""What the address of a page holds."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from core.run.address import decode
from core.run.spec import OpSpec


def pipeline(url: str) -> tuple[OpSpec, ...]:
    """Its augmentations: none where it holds no spec."""
    shared = parse_qs(urlsplit(url).query).get("spec")
    return decode(shared[0]).augment.ops if shared else ()
