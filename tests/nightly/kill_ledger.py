"""What `kills.py` asked for, killed and found."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class WorkerKill:
    owner: str
    at: float
    run: str | None  # what it computed
    used: bool = False  # a run has failed by it


@dataclass
class Ledger:
    """What was asked for, what was killed, and what is wrong."""

    runs: list[str] = field(default_factory=list)
    settled: dict[str, str] = field(default_factory=dict)  # runs whose end both servers have told
    dead: set[str] = field(default_factory=set)  # owners that were killed
    worker_kills: list[WorkerKill] = field(default_factory=list)
    resumed: Counter[str] = field(default_factory=Counter)  # how often each run went on
    hits: Counter[str] = field(default_factory=Counter)  # kills while something was written
    proved: int = 0  # runs that went on and came to the bits of one that was never cut
    violations: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def open(self) -> list[str]:
        return [run_id for run_id in self.runs if run_id not in self.settled]

    def took(self, what: str, seconds: float) -> None:
        self.seconds.setdefault(what, []).append(seconds)

    def violation(self, what: str) -> None:
        if what not in self.violations:
            self.violations.append(what)
            print(what, file=sys.stderr)

    def report(self) -> dict[str, Any]:
        return {
            "runs": {"submitted": len(self.runs), **Counter(self.settled.values())},
            "went on": {"runs": len(self.resumed), "times": self.resumed.total(), "compared": self.proved},
            "hits": dict(self.hits),
            "worker kills in a run": sum(each.run is not None for each in self.worker_kills),
            "seconds until right": {
                what: {
                    "times": len(all_),
                    "median": round(statistics.median(all_), 2),
                    "max": round(max(all_), 2),
                }
                for what, all_ in self.seconds.items()
            },
            "violations": self.violations,
        }
