"""Runs in a table of text, or as JSON, for the command line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from core.run.figures import result_of
from core.run.spec import PURPOSES
from core.store.store import StoredRun
from core.text.describe import title
from core.text.escape import printable
from core.text.shares import in_full

HEADS = ("id", "run", "state", "accuracy", "exact zeros", "epochs", "begun")
MOST_LETTERS = 40


def as_values(run: StoredRun) -> dict[str, Any]:
    """A run as plain JSON values; what it has none of is None."""
    summary: dict[str, Any] = dict(run.summary or {})
    result = result_of(summary) if summary else {}
    return {
        "id": run.id,
        "name": run.name,
        "title": title(run.spec),
        "state": run.state,
        "reason": run.reason,
        "digest": run.digest,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "imported_at": run.imported_at,
        "accuracy": result.get("validation_accuracy"),
        "validation_images": summary.get("validation_images"),
        "exact_zeros": result["sparsity"]["exact"] if result else None,
        "epochs": summary.get("epochs", 0),
        "seed": run.spec.seed,
        "seeds": {purpose: run.spec.seed_of(purpose) for purpose in PURPOSES},
        "split_seed": run.spec.split_seed,
        "fold": run.spec.data.fold,
        "data": run.spec.data.name,
        "arch": run.spec.model.arch,
        "starred": run.starred,
        "tags": list(run.tags),
        "note": run.note,
    }


def as_table(runs: Sequence[StoredRun]) -> str:
    """A line a run, in columns; times are this machine's. An accuracy has its n and its 95 % interval."""
    rows = [HEADS, *(_row(run) for run in runs)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(run: StoredRun) -> tuple[str, ...]:
    told = as_values(run)
    accuracy, zeros = told["accuracy"], told["exact_zeros"]
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created_at))
    return (
        run.id[:8],
        _short(told["title"]),
        run.state,
        "" if accuracy is None else in_full(accuracy, told["validation_images"]),
        "" if zeros is None else f"{100 * zeros:.1f} %",
        str(told["epochs"]),
        begun,
    )


def _short(text: str) -> str:
    kept = printable(text)
    return kept if len(kept) <= MOST_LETTERS else f"{kept[: MOST_LETTERS - 1]}…"
