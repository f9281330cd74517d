"""Early stopping with patience (Prechelt 1998, Early stopping - but when?)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.regularise.regulariser import Regulariser


class EarlyStopping(Regulariser):
    """Ends the run when validation has not improved for ``patience`` epochs in a row.

    An improvement is by more than ``min_delta`` over the value at the last improvement. For the best epoch,
    whose weights ``restore_best`` keeps, any gain counts. Only the validation images are asked, never the
    training loss, which mostly falls whatever happens.
    """

    def __init__(self, model: nn.Module, params: Mapping[str, Any]) -> None:
        super().__init__(model, params)
        self.model = model
        self.best = self.mark = -math.inf  # the best score, and the one to beat; see `_score`
        self.best_epoch = self.waited = 0
        self.kept: dict[str, Tensor] = {}  # the network of `best_epoch`, as it was evaluated

    def after_epoch(self, event: Mapping[str, Any]) -> str:
        score = self._score(event)
        if score > self.best:
            self.best, self.best_epoch = score, event["epoch"]
            if self.params["restore_best"]:
                self.kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        # Rounded, as a difference of 0.2 points in floats is 0.2 and a little, or less a little.
        if round(score - self.mark, 9) > self.params["min_delta"]:
            self.mark, self.waited = score, 0
        else:
            self.waited += 1
        return self._reason() if self.waited >= self.params["patience"] else ""

    def chosen_epoch(self) -> int | None:
        """The best epoch, if the spec asks for it."""
        return self.best_epoch if self.kept else None

    def before_saving(self) -> None:
        if self.kept:
            self.model.load_state_dict(self.kept)

    def state(self) -> dict[str, Tensor]:
        numbers = torch.tensor([self.best, self.mark, self.best_epoch, self.waited], dtype=torch.float64)
        return {"numbers": numbers, **{f"kept.{name}": value for name, value in self.kept.items()}}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.best, self.mark, best_epoch, waited = state["numbers"].tolist()
        self.best_epoch, self.waited = int(best_epoch), int(waited)
        kept = ((name, value) for name, value in state.items() if name.startswith("kept."))
        self.kept = {name.removeprefix("kept."): value for name, value in kept}

    def _score(self, event: Mapping[str, Any]) -> float:
        """Points of accuracy, or nats of loss turned round: more is better."""
        if self.params["monitor"] == "loss":
            return -float(event["validation_loss"])
        return 100 * float(event["validation_accuracy"])

    def _reason(self) -> str:
        delta, waited = self.params["min_delta"], self.waited
        epochs = f"{waited} epoch{'s' if waited > 1 else ''}"
        if self.params["monitor"] == "loss":
            better = f"{delta:g} lower" if delta else "lower"
            return f"Stopped early: validation loss was not {better} than {-self.mark:.4g} for {epochs}."
        better = f"{delta:g} points better" if delta else "better"
        return f"Stopped early: validation was not {better} than {self.mark:.1f} % for {epochs}."
