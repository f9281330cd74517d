"""How many seeds, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.seeds import DRAWS
from core.text.studies.early import early


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    spreads = result.get("spreads", {})
    said = []
    for kind, each in spreads.items():
        what = "With every chance but the split" if kind == "all" else f"By the {DRAWS.get(kind, kind)} alone"
        said.append(
            f"**{what}**: {100 * each['mean']:.2f} ± {100 * each['sd']:.2f} % (mean ± standard deviation, n "
            f"= {each['n']}), from {100 * each['smallest']:.1f} to {100 * each['largest']:.1f} %."
        )
    widest = max(spreads.values(), key=lambda each: each["sd"], default=None)
    if widest is not None:
        whole = spreads.get("all", widest)
        needed = [
            f"{100 * float(apart):g} points {count}"
            for apart, count in whole["needed"].items()
            if count is not None
        ]
        if needed:
            said.append(
                "So many seeds of each setting tell two settings apart, four times of five, that differ by: "
                f"{', '.join(needed)}."
            )
    return said + early(result)
