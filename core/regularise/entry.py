"""What the catalogue says of a regulariser."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalogue import Entry
from core.regularise.regulariser import Regulariser


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulariserEntry(Entry):
    """A regulariser: a penalty on the weights, an update of them, or a training procedure.

    Args:
        formula: KaTeX; a term of the loss, or the update itself if there are no ``solvers``.
        effect: one sentence: what it does to weights, by its first solver.
        penalty_effect: the same by the ``penalty`` solver, where that does something else.
        solvers: how it may be solved, the default first; none if it is no term of the loss.
        default_strength: λ where a spec gives none; None: the kind has no strength, only parameters.
        strength_low: where a logarithmic dial for λ starts.
        strength_high: where it ends.
        strength_max: the largest λ allowed; the smallest is 0.
        penalty_note: one sentence: why the ``penalty`` solver gives no exact zeros; empty if no other
            solver would.
        term: what implements it.
    """

    formula: str
    effect: str
    penalty_effect: str = ""
    solvers: tuple[str, ...] = ()
    default_strength: float | None = None
    strength_low: float = 1e-6
    strength_high: float = 1e-1
    strength_max: float = 100.0
    penalty_note: str = ""
    term: type[Regulariser]

    @property
    def short(self) -> str:
        """Its title without what is in brackets or tells where it acts: for legends and indices."""
        return self.title.split(" (")[0].removesuffix(" in the loss")

    def effect_by(self, solver: str | None) -> str:
        """What it does to weights, by ``solver``; None is the first."""
        return (solver == "penalty" and self.penalty_effect) or self.effect
