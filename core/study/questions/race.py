"""Which optimiser: each gets the rate that suits it, and then the same budget and seeds as the others.

Rates are chosen by one fold of the training images and one seed; the race is judged by what the base run
keeps for validation, over several seeds, each paired with the base run's optimiser at the same seed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from core.catalogue import title_of
from core.catalogues import completed
from core.measure.mean import mean_interval, paired_difference
from core.optimise.catalogue import OPTIMISERS
from core.run.errors import SpecError
from core.run.spec import OptimiserSpec, RunSpec
from core.study.cells import Cell, Figure, Table, Value
from core.study.early import stops_early
from core.study.questions.answers import done, is_over
from core.study.spec import MOST_SEEDS, Cost, Study, differing, with_seed

FOLDS = 5
FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)


class RaceStudy(Study):
    """See the module.

    Args:
        optimisers: their kinds and parameters; empty: all that the base run can be trained by. A rate they
            name is the middle of those that are tried.
        factors: times the optimiser's own rate: what is tried.
        seeds: how many runs each has in the race.
        figure: what a rate is chosen by.
    """

    question: Literal["race"] = "race"
    optimisers: Annotated[tuple[OptimiserSpec, ...], Field(max_length=16, strict=False)] = ()
    factors: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1000)], ...], Field(min_length=1, max_length=12, strict=False)
    ] = FACTORS
    seeds: Annotated[int, Field(ge=2, le=MOST_SEEDS)] = 3
    figure: Figure = "loss"
    folds: Annotated[int, Field(ge=2, le=20)] = FOLDS

    def filled(self) -> RaceStudy:
        base = completed(self.base)
        if base.data.folds is not None:
            raise SpecError("base.data.folds", "the study makes the folds itself; leave it out.")
        given = self.optimisers or tuple(OptimiserSpec(kind=kind) for kind in OPTIMISERS)
        differing("factors", self.factors)
        found, refused = [], ""
        for i, each in enumerate(given):
            each = each.model_copy(update={"schedule": base.optimiser.schedule})
            try:
                found.append(completed(base.model_copy(update={"optimiser": each})).optimiser)
            except SpecError as error:
                if self.optimisers:
                    raise SpecError(f"optimisers[{i}]", str(error)) from None
                refused = str(error)
        if len(found) < 2:
            raise SpecError("optimisers", refused or "a race needs two optimisers or more.")
        differing("optimisers", found)
        study = self.model_copy(
            update={"base": base, "optimisers": tuple(found), "factors": tuple(sorted(self.factors))}
        )
        for number in range(len(found)):
            for rate in study.rates(number):
                study._spec(number, rate)
        return study

    def title(self, number: int) -> str:
        """What an optimiser is called: with its place where two are of one kind."""
        kind = self.optimisers[number].kind
        alike = [i for i, each in enumerate(self.optimisers) if each.kind == kind]
        name = title_of(OPTIMISERS, kind)
        return name if len(alike) == 1 else f"{name} {alike.index(number) + 1}"

    def rates(self, number: int) -> tuple[float, ...]:
        """The learning rates that are tried for an optimiser."""
        own = self.optimisers[number].lr or 0.0
        return tuple(sorted({min(10.0, float(f"{own * factor:.3g}")) for factor in self.factors}))

    def _spec(self, number: int, rate: float) -> RunSpec:
        optimiser = self.optimisers[number].model_copy(update={"lr": rate})
        return completed(self.base.model_copy(update={"optimiser": optimiser}))

    def cells(self, table: Table) -> list[Cell]:
        found = [
            self._trial(number, rate) for number in range(len(self.optimisers)) for rate in self.rates(number)
        ]
        return found + list(self._race(table))

    def _trial(self, number: int, rate: float) -> Cell:
        spec = self._spec(number, rate)
        data = spec.data.model_copy(update={"folds": self.folds, "fold": 0})
        name = f"{self.title(number)} at {rate:g}"
        spec = spec.model_copy(update={"data": data, "name": name})
        settings: dict[str, Value] = {"optimiser": self.title(number), "rate": rate, "seed": spec.seed}
        return Cell(_trial(number, rate), spec, settings, fold=0, row=name, column="to find the rate")

    def best_rate(self, table: Table, number: int) -> float | None:
        """The rate with the least error; of equal ones the smaller. None: not all are known, or all
        failed."""
        rates = self.rates(number)
        if not all(is_over(table, _trial(number, rate)) for rate in rates):
            return None
        errors = {
            rate: figures.error(self.figure)
            for rate in rates
            if (figures := done(table, _trial(number, rate))) and math.isfinite(figures.loss)
        }
        return min(errors, key=lambda rate: (errors[rate], rate)) if errors else None

    def _race(self, table: Table) -> Iterator[Cell]:
        for seed in range(self.seeds):
            for number in range(len(self.optimisers)):
                if (rate := self.best_rate(table, number)) is None:
                    continue
                spec = with_seed(self._spec(number, rate), seed)
                row, column = f"{self.title(number)} at {rate:g}", f"seed {spec.seed}"
                settings: dict[str, Value] = {
                    "optimiser": self.title(number),
                    "rate": rate,
                    "seed": spec.seed,
                }
                spec = spec.model_copy(update={"name": f"{row}, {column}"})
                key = _run(number, rate, seed)
                yield Cell(key, spec, settings, role="test", row=row, column=column)

    def cost(self) -> Cost:
        trials = sum(len(self.rates(number)) for number in range(len(self.optimisers)))
        runs = trials + len(self.optimisers) * self.seeds
        return Cost(runs, runs * self.base.train.epochs)

    def accuracies(self, table: Table, number: int) -> dict[int, float]:
        """Of the race, by the number of the seed."""
        rate = self.best_rate(table, number)
        if rate is None:
            return {}
        found = {seed: done(table, _run(number, rate, seed)) for seed in range(self.seeds)}
        return {seed: figures.accuracy for seed, figures in found.items() if figures}

    def result(self, table: Table) -> dict[str, Any]:
        found = []
        numbers = range(len(self.optimisers))
        base = next((i for i in numbers if self.optimisers[i].kind == self.base.optimiser.kind), 0)
        theirs = self.accuracies(table, base)
        for number in numbers:
            rate = self.best_rate(table, number)
            ours = self.accuracies(table, number)
            row: dict[str, Any] = {"optimiser": self.title(number), "rate": rate, "n": len(ours)}
            rates = self.rates(number)
            row["tried"] = [
                {"rate": each, "accuracy": figures.accuracy if figures else None}
                for each in rates
                if is_over(table, _trial(number, each))
                for figures in [done(table, _trial(number, each))]
            ]
            row["edge"] = "" if rate is None or rates[0] < rate < rates[-1] else "at the edge of the rates"
            values = list(ours.values())
            if values:
                row["mean"] = statistics.fmean(values)
            if len(values) > 1:
                _, row["low"], row["high"] = mean_interval(values)
            both = sorted(ours.keys() & theirs.keys())
            if number != base and len(both) > 1:
                apart = paired_difference([ours[i] for i in both], [theirs[i] for i in both])
                row["difference"] = {
                    "mean": apart.difference,
                    "n": len(both),
                    "is_told": apart.is_beyond_noise,
                }
                if apart.is_known:
                    row["difference"] |= {"low": apart.low, "high": apart.high}
            found.append(row)
        if not any(row["tried"] for row in found):
            return {}
        complete = all(is_over(table, cell.key) for cell in self.cells(table))
        return {
            "figure": "accuracy",
            "against": self.title(base),
            "optimisers": found,
            "complete": complete,
            "stops_early": stops_early(self.base),
        }


def _trial(number: int, rate: float) -> str:
    return f"rate {number}/{rate!r}"


def _run(number: int, rate: float, seed: int) -> str:
    return f"race {number}/{rate!r}/{seed}"
