"""A path over λ as a table: on the page, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from core.figures.probes import Row
from core.measure.counted import wilson
from core.measure.near import NEAR
from core.measure.path_star import against, without
from core.text.shares import in_full, percent

VERSIONS = ("augury", "torch", "kornia")


def path_table(points: Sequence[Row]) -> list[dict[str, str]]:
    """A row a λ, in words; each share says what it is of, as far as that is known."""
    zero = without(points)
    return [
        {
            "λ": f"{point['strength']:g}",
            "Accuracy": _accuracy(point),
            "Points against λ = 0": _against(zero, point),
            "Exact zeros": _of_weights(point, "exact"),
            f"|w| < {NEAR:g}": _of_weights(point, "near"),
        }
        for point in points
    ]


def path_csv(points: Sequence[tuple[str, Row]], seed: int) -> str:
    """A row a λ, every share in [0, 1].

    Args:
        points: each row with the id of the run that it is from.
    """
    zero = without([point for _, point in points])
    stream = io.StringIO()
    rows = [_numbers(run_id, seed, zero, point) for run_id, point in points]
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _against(zero: Row | None, point: Row) -> str:
    found = against(zero, point) if point["strength"] else None
    if found is None:
        return ""
    low, high = found.interval
    said = f"{-100 * found.share:+.1f} ({-100 * high:.1f} to {-100 * low:.1f})"
    return said.replace("-", "−").replace("−0.0 ", "0.0 ").replace("+0.0 ", "0.0 ")


def _accuracy(point: Row) -> str:
    return "no number" if point["accuracy"] is None else in_full(point["accuracy"], point["images"])


def _of_weights(point: Row, name: str) -> str:
    weights = point.get("weights")
    return percent(point[name]) + (f" of {weights:,}" if weights else "")


def _numbers(run_id: str, seed: int, zero: Row | None, point: Row) -> dict[str, Any]:
    found = against(zero, point) if point["strength"] else None
    accuracy, images = point["accuracy"], point["images"]
    low, high = ("", "") if accuracy is None else wilson(round(accuracy * images), images)
    fall_low, fall_high = found.interval if found else ("", "")
    versions = point.get("versions", {})
    return {
        "run_id": run_id,
        "seed": seed,
        **{f"{name}_version": versions.get(name, "") for name in VERSIONS},
        "lambda": point["strength"],
        "validation_images": images,
        "validation_accuracy_share": "" if accuracy is None else accuracy,
        "validation_accuracy_low_share": low,
        "validation_accuracy_high_share": high,
        "fall_against_lambda_0_share": found.share if found else "",
        "fall_low_share": fall_low,
        "fall_high_share": fall_high,
        "weights": point.get("weights", ""),
        "exact_zero_share": point["exact"],
        f"below_{NEAR:g}_share": point["near"],
        "zero_group_share": point["groups"],
        "training_seconds": point["seconds"],
    }
