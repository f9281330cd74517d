"""Which optimiser, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.shares import percent
from core.text.studies.early import early


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    rows = [row for row in result.get("optimisers", ()) if row.get("mean") is not None]
    if not rows:
        return []
    against, said = result["against"], []
    best = max(rows, key=lambda row: row["mean"])
    so_far = "" if result["complete"] else "So far "
    what = "highest mean" if best["n"] > 1 else "highest accuracy of one seed each"
    said.append(
        f"{so_far}**{best['optimiser']}** at {best['rate']:g} has the {what}: {percent(best['mean'])} (n = "
        f"{best['n']})."
    )
    for row in rows:
        apart = row.get("difference")
        if apart is None:
            continue
        if not apart["is_told"]:
            said.append(
                f"{row['optimiser']} at {row['rate']:g} can't be told from {against} with n = {apart['n']}."
            )
            continue
        half = 100 * (apart["high"] - apart["low"]) / 2
        word = "better" if apart["mean"] > 0 else "worse"
        said.append(
            f"{row['optimiser']} at {row['rate']:g} is {100 * abs(apart['mean']):.1f} ± {half:.1f} points "
            f"{word} "
            f"than {against} (n = {apart['n']})."
        )
    edges = [row["optimiser"] for row in rows if row["edge"]]
    if edges:
        said.append(
            f"The best rate lies at the edge of what was tried for {', '.join(edges)}: try more rates."
        )
    if any(row.get("difference") for row in rows):
        said.append("Differences are of pairs with the same seed, with their 95 % interval.")
    return said + early(result)
