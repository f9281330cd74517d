"""How many seeds: one run with other seeds, of one or several kinds of chance, and how far apart they are."""

from __future__ import annotations

import math
import statistics
from typing import Annotated, Any, Literal

from pydantic import Field

from core.catalogues import completed
from core.measure.beta import t_quantile
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.study.cells import Cell, CellFigures, Table
from core.study.early import stops_early
from core.study.questions.answers import done, is_over
from core.study.repeats import Varied, repeats, what_can_vary
from core.study.rules.effects import MOST_SEEDS as MOST_ADVISED
from core.study.spec import MOST_SEEDS, Cost, Study, differing
from core.text.seeds import DRAWS

TOLD_POINTS = (0.02, 0.01, 0.005, 0.002)  # differences of accuracy for which seeds are advised


class SeedsStudy(Study):
    """See the module.

    Args:
        varied: which chance: ``all`` but which images are kept, or ``order``, ``weights``, ``augment``,
            ``dropout`` or ``split`` alone.
        seeds: how many of each, with the base run's own.
    """

    question: Literal["seeds"] = "seeds"
    varied: Annotated[tuple[Varied, ...], Field(min_length=1, max_length=6, strict=False)] = ("all",)
    seeds: Annotated[int, Field(ge=2, le=MOST_SEEDS)] = 5

    def filled(self) -> SeedsStudy:
        base = completed(self.base)
        differing("varied", self.varied)
        possible = what_can_vary(base)
        for each in self.varied:
            if each not in possible:
                raise SpecError(
                    "varied", f"nothing of this run draws by {each}; it may be {', '.join(possible)}."
                )
        return self.model_copy(update={"base": base})

    def _specs(self, varied: Varied) -> list[RunSpec]:
        return [self.base, *(completed(each) for each in repeats(self.base, varied, self.seeds - 1))]

    def cells(self, table: Table) -> list[Cell]:
        found = {}
        for kind in self.varied:
            for number, spec in enumerate(self._specs(kind)):
                said = "as it is" if number == 0 else f"{kind}, {number + 1} of {self.seeds}"
                key = _key(kind, number)
                settings = {"varied": kind if number else "", "seed": spec.seed if kind == "all" else number}
                spec = spec.model_copy(update={"name": f"Seeds: {said}"})
                row = DRAWS[kind] if number else "as it is"
                found[key] = Cell(key, spec, settings, row=row, column=f"run {number + 1}")
        return list(found.values())

    def cost(self) -> Cost:
        runs = 1 + len(self.varied) * (self.seeds - 1)
        return Cost(runs, runs * self.base.train.epochs)

    def figures(self, table: Table, varied: Varied) -> list[CellFigures]:
        found = [done(table, _key(varied, number)) for number in range(self.seeds)]
        return [each for each in found if each is not None]

    def result(self, table: Table) -> dict[str, Any]:
        kinds = {
            kind: _spread([each.accuracy for each in figures])
            for kind in self.varied
            if len(figures := self.figures(table, kind)) > 1
        }
        if not kinds:
            return {}
        complete = all(is_over(table, cell.key) for cell in self.cells(table))
        return {
            "figure": "accuracy",
            "spreads": kinds,
            "complete": complete,
            "stops_early": stops_early(self.base),
        }


def _key(varied: Varied, number: int) -> str:
    return f"{varied}/{number}" if number else "base"


def _spread(values: list[float]) -> dict[str, Any]:
    n, mean, sd = len(values), statistics.fmean(values), statistics.stdev(values)
    half = t_quantile(n - 1) * sd / math.sqrt(n)
    quartiles = statistics.quantiles(values, n=4, method="inclusive")
    return {
        "n": n,
        "mean": mean,
        "sd": sd,
        "low": mean - half,
        "high": mean + half,
        "quartiles": quartiles,
        "values": values,
        "smallest": min(values),
        "largest": max(values),
        # So many seeds of each of two settings tell a difference of this size apart, four times of five.
        "needed": {f"{each:g}": seeds_to_tell(each, sd) for each in TOLD_POINTS},
    }


def seeds_to_tell(difference: float, sd: float) -> int | None:
    """How many seeds of each of two settings tell a difference of their means apart with 95 % certainty in
    four of five studies, if both vary by ``sd`` and share no seed. None: more than are ever advised.

    By Student's distribution: the least n with (t(0.95) + t(0.6)) · sd · √(2/n) ≤ difference, two-sided,
    where t(0.6) leaves one fifth above (Cohen 1988, Statistical power analysis, section 2.4).
    """
    low, high = 1, MOST_ADVISED

    def enough(n: int) -> bool:
        freedom = 2 * (n - 1)
        return (t_quantile(freedom) + t_quantile(freedom, 0.6)) * sd * math.sqrt(2 / n) <= difference

    if not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
