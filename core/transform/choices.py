"""What the parameters of each transform mean before anything is computed, without torch: whether they go
together, how a run is called that was made so, and what further training holds up, as regularisers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.catalogue import Choice, Number, Parameter
from core.models.catalogue import ARCHITECTURES
from core.run.errors import SpecError
from core.run.spec import RunSpec

Held = list[dict[str, Any]]
HOLD_ZEROS: dict[str, Any] = {"kind": "hold_zeros"}


class Choices:
    """A transform that has nothing to check: what is zero stays zero.

    Args:
        params: completed.
        epochs: of further training.
    """

    words = ""
    repeats = False  # whether it trains the first run's beginning once more

    def __init__(self, params: Mapping[str, Any], epochs: int) -> None:
        self.params, self.epochs = params, epochs

    def check(self) -> None:
        """
        Raises:
            SpecError: the parameters don't go together.
        """

    def check_fit(self, spec: RunSpec) -> None:
        """
        Raises:
            SpecError: they don't suit the network of a run of this spec.
        """

    @staticmethod
    def offered(parameter: Parameter, spec: RunSpec, chosen: Mapping[str, Any]) -> Parameter | None:
        """A parameter as it is offered for the network of a run of this spec; None: it means nothing beside
        what was ``chosen`` before it."""
        return parameter

    def said(self) -> str:
        """E.g. ``4 bits``: it follows the name of the run that it is made of."""
        return self.words

    def held(self) -> Held:
        """What further training holds up."""
        return [HOLD_ZEROS]


class Pruning(Choices):
    def __init__(self, params: Mapping[str, Any], epochs: int) -> None:
        super().__init__(params, epochs)
        self.repeats = params["start"] == "rewound" and params["rewind_epochs"] > 0

    def check(self) -> None:
        if self.params["rewind_epochs"] and not self.repeats:
            what = "only what is rewound goes back to an epoch; choose that as start, or 0 here."
            raise SpecError("params.rewind_epochs", what)
        if self.params["when"] != "step by step":
            return
        if self.params["what"] != "weights" or self.params["by"] != "magnitude":
            what = "step by step go single weights, by magnitude; choose that, or all at once."
            raise SpecError("params.when", what)
        if not self.epochs:
            raise SpecError("train.epochs", "step by step needs further training; choose 1 or more.")

    def check_fit(self, spec: RunSpec) -> None:
        if self.params["what"] == "blocks" and not _has_blocks(spec):
            able = " or ".join(entry.title for entry in ARCHITECTURES.values() if entry.blocks)
            what = f"only {able} has blocks; choose weights or units."
            raise SpecError("params.what", what)
        if self.repeats and self.params["rewind_epochs"] >= spec.train.epochs:
            what = f"the run had {spec.train.epochs} epochs; choose fewer."
            raise SpecError("params.rewind_epochs", what)

    @staticmethod
    def offered(parameter: Parameter, spec: RunSpec, chosen: Mapping[str, Any]) -> Parameter | None:
        if parameter.name == "rewind_epochs" and chosen.get("start") != "rewound":
            return None
        if parameter.name == "share" and chosen.get("what") == "blocks":
            return _share_of_blocks(parameter, spec)
        if parameter.name == "when" and (chosen.get("what"), chosen.get("by")) != ("weights", "magnitude"):
            return None
        if not isinstance(parameter, Choice) or parameter.name != "what" or _has_blocks(spec):
            return parameter
        return replace(parameter, options=tuple(each for each in parameter.options if each != "blocks"))

    def said(self) -> str:
        start = "" if self.params["start"] == "as they are" else f", {self.params['start']}"
        start += f" to epoch {self.params['rewind_epochs']:g}" if self.repeats else ""
        how = {"magnitude": "", "gradient": " by gradient", "random": " by chance"}[self.params["by"]]
        how += " layer by layer" if self.params["threshold"] == "layer" else ""
        how += " step by step" if self.params["when"] == "step by step" else ""
        return f"{100 * self.params['share']:g} % of {self.params['what']} pruned{how}{start}"

    def held(self) -> Held:
        if self.params["when"] != "step by step":
            return [HOLD_ZEROS]
        rise = max(1, round(self.epochs * 2 / 3))
        threshold = {"threshold": self.params["threshold"]}
        pruning = {"kind": "pruning", "strength": self.params["share"], "params": threshold}
        return [{**pruning, "schedule": "cubic", "warmup_epochs": rise}]


def _share_of_blocks(parameter: Parameter, spec: RunSpec) -> Parameter | None:
    """As many as there are, but for the last; None: there is only one."""
    count = spec.model.params.get("depth")
    if not isinstance(count, int) or count < 2 or not isinstance(parameter, Number):
        return None
    one = round(1 / count, 3)
    return replace(parameter, low=one, high=round(1 - one, 3), default=one, step=one)


def _has_blocks(spec: RunSpec) -> bool:
    entry = ARCHITECTURES.get(spec.model.arch)
    return entry is not None and entry.blocks


class Shrinking(Choices):
    words = "shrunk"


class Merging(Choices):
    def said(self) -> str:
        return {"matched": "merged", "as they are": "merged as they are", "greedy": "greedy soup"}[
            self.params["method"]
        ]


class Quantising(Choices):
    def check(self) -> None:
        if self.params["activations"] == 1:
            raise SpecError("params.activations", "1 bit is too few; choose 2 to 8, or 0 for none.")

    def said(self) -> str:
        how = "" if self.params["by"] == "channel" else " by tensor"
        how += "" if self.params["symmetric"] else ", asymmetric"
        heard = self.params["activations"]
        return f"{self.params['bits']:g} bits{how}" + (f", hears {heard:g} bits" if heard else "")

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
