"""The dials of a transform: those that mean something beside what is chosen already."""

from __future__ import annotations

from typing import Any

from core.catalogue import Parameter
from core.run.spec import RunSpec
from core.transform.catalogue import Transform
from core.transform.plan import offered
from pages.features.editor.fields import field


def dials(
    entry: Transform, spec: RunSpec, at: str, chosen: dict[str, Any], without: Parameter | None = None
) -> dict[str, Any]:
    """Draw them; ``chosen`` and what they say.

    Args:
        at: what the keys of the widgets begin with.
        without: is drawn elsewhere.
    """
    chosen = dict(chosen)
    for each in entry.parameters:
        if each is not without and (shown := offered(entry, each, spec, chosen)) is not None:
            key = f"{at}.{each.name}" if shown is each else f"{at}.{each.name}.fitted"
            chosen[each.name] = field(shown, shown.default, at, each.name, at=key)
    return chosen
