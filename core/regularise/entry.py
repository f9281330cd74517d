"""What the catalogue says of a regulariser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.catalogue import Entry
from core.run.spec import RegulariserSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulariserEntry(Entry):
    """A regulariser: a penalty on the weights, an update of them, or a training procedure.

    Args:
        makes: the `Regulariser` that implements it, as ``package.module:Class``.
        formula: KaTeX; a term of the loss, or the update itself if there are no ``solvers``.
        effect: one sentence: what it does to weights, by its first solver.
        penalty_effect: the same by the ``penalty`` solver, where that does something else.
        solvers: how it may be solved, the default first; none if it is no term of the loss.
        default_strength: λ where a spec gives none; None: the kind has no strength, only parameters.
        strength_low: where a logarithmic dial for λ starts.
        strength_high: where it ends.
        strength_max: the largest λ allowed; the smallest is 0.
        symbol: what the formula calls the strength.
        rises: the schedule that a form begins with, over most of the run; empty: at full strength.
        strength_help: one sentence: what the strength is, with its unit if it has one.
        penalty_note: one sentence: why the ``penalty`` solver gives no exact zeros; empty if no other
            solver would.
        on_weights: whether its strength acts on the weights, so that too much of it can kill a network.
        l1_share: for a penalty on each weight by itself, from its parameters: the share of L1 in it, in
            [0, 1]; the rest is L2. None for all other kinds.
        releases: whether its proximal step makes zeros that can be held while its strength is 0 again.
        averages: whether the network is judged and kept with a mean of its weights; one kind at most may.
        ends_runs: whether it may end a run before its last epoch.
        gates: whether it multiplies weights by gates, beneath which a proximal step would go unseen.
        sets: whether it says itself where weights are, at zero or on a grid: gates would hide that, too.
        taught: whether it needs other networks to learn from, which a run is given where it is made.
        passes: how many times a step with it goes through the network, forward and backward; between two
            `Regulariser.uphill` moves the weights.
        note: from a completed spec, the number of classes and the number of epochs: a sentence on what it
            changes about a run's figures, which nobody could guess from a chart.
    """

    makes: str
    formula: str
    effect: str
    penalty_effect: str = ""
    solvers: tuple[str, ...] = ()
    default_strength: float | None = None
    strength_low: float = 1e-6
    strength_high: float = 1e-1
    strength_max: float = 100.0
    symbol: str = "λ"
    rises: Literal["", "linear", "cubic", "step"] = ""
    strength_help: str = "How much it counts against the loss."
    penalty_note: str = ""
    on_weights: bool = True
    l1_share: Callable[[Mapping[str, Any]], float] | None = None
    releases: bool = False
    averages: bool = False
    ends_runs: bool = False
    gates: bool = False
    sets: bool = False
    taught: bool = False
    passes: int = 1
    note: Callable[[RegulariserSpec, int, int], str] | None = None

    @property
    def short(self) -> str:
        """Its title without what is in brackets or tells where it acts: for legends and indices."""
        return self.title.split(" (")[0].removesuffix(" in the loss")

    def effect_by(self, solver: str | None) -> str:
        """What it does to weights, by ``solver``; None is the first."""
        return (solver == "penalty" and self.penalty_effect) or self.effect
