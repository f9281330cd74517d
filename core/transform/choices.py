"""What the parameters of each transform mean before anything is computed, without torch: whether they go
together, how a run is called that was made so, and what further training holds up, as regularisers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.run.errors import SpecError

Held = list[dict[str, Any]]
HOLD_ZEROS: dict[str, Any] = {"kind": "hold_zeros"}


class Choices:
    """A transform that has nothing to check: what is zero stays zero.

    Args:
        params: completed.
        epochs: of further training.
    """

    words = ""

    def __init__(self, params: Mapping[str, Any], epochs: int) -> None:
        self.params, self.epochs = params, epochs

    def check(self) -> None:
        """
        Raises:
            SpecError: the parameters don't go together.
        """

    def said(self) -> str:
        """E.g. ``4 bits``: it follows the name of the run that it is made of."""
        return self.words

    def held(self) -> Held:
        """What further training holds up."""
        return [HOLD_ZEROS]


class Pruning(Choices):
    def check(self) -> None:
        if self.params["when"] != "step by step":
            return
        if self.params["what"] != "weights" or self.params["by"] != "magnitude":
            what = "step by step go single weights, by magnitude; choose that, or all at once."
            raise SpecError("params.when", what)
        if not self.epochs:
            raise SpecError("train.epochs", "step by step needs further training; choose 1 or more.")

    def said(self) -> str:
        start = "" if self.params["start"] == "as they are" else f", {self.params['start']}"
        return f"{100 * self.params['share']:g} % of {self.params['what']} pruned{start}"

    def held(self) -> Held:
        if self.params["when"] != "step by step":
            return [HOLD_ZEROS]
        rise = max(1, round(self.epochs * 2 / 3))
        threshold = {"threshold": self.params["threshold"]}
        pruning = {"kind": "pruning", "strength": self.params["share"], "params": threshold}
        return [{**pruning, "schedule": "cubic", "warmup_epochs": rise}]


class Shrinking(Choices):
    words = "shrunk"


class Merging(Choices):
    words = "merged"


class Quantising(Choices):
    def check(self) -> None:
        if self.params["activations"] == 1:
            raise SpecError("params.activations", "1 bit is too few; choose 2 to 8, or 0 for none.")

    def said(self) -> str:
        return f"{self.params['bits']:g} bits"

    def held(self) -> Held:
        own = {name: self.params[name] for name in ("bits", "by", "symmetric", "ends_at")}
        return [HOLD_ZEROS, {"kind": "quantisation", "params": own}]


class Teaching(Choices):
    words = "distilled"

    def check(self) -> None:
        if not self.epochs:
            raise SpecError("train.epochs", "a student has to be trained; choose 1 or more.")

    def held(self) -> Held:
        return [{"kind": "distillation", "params": dict(self.params)}]
