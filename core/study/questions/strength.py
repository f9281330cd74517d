"""Which λ: k-fold cross-validation over a grid of one strength, or of two, and a last run with the answer.

What the base run keeps for validation is in no fold: it judges the last run alone, so nothing chose by it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from core.catalogues import completed
from core.measure.mean import paired_difference
from core.regularise.catalogue import REGULARISERS
from core.run.errors import SpecError
from core.run.spec import Part, RunSpec
from core.study.cells import Cell, CellFigures, Figure, Table
from core.study.early import fixed, stops_early
from core.study.path_plan import chosen_regulariser, strengths
from core.study.questions.answers import accuracy_interval, done
from core.study.rules.strength import Point, PointChoice, choose_strengths
from core.study.spec import Cost, Study, differing

POINTS, FOLDS = 8, 5
BELOW = 1.5  # of the decades of a grid lie below the kind's default strength
EXTENSION = 3  # points that an extended grid has more

Strength = Annotated[float, Field(ge=0, le=100)]


class Axis(Part):
    """One strength: ``regulariser`` is its place in the base run's list, from 0; ``grid``: the values, or
    None for ``points`` values around the kind's default."""

    regulariser: Annotated[int, Field(ge=0, lt=8)] = 0
    grid: Annotated[tuple[Strength, ...] | None, Field(max_length=50, strict=False)] = None


class StrengthStudy(Study):
    """See the module.

    Args:
        figure: the error that λ is chosen by: the share of wrong answers (``accuracy``), or the ``loss``.
        refit: which λ the last run has: ``1se``, the largest that is as good within one standard error, or
            ``min``, that with the least error; ``none``: there is no last run.
    """

    question: Literal["strength"] = "strength"
    strengths: Annotated[tuple[Axis, ...], Field(min_length=1, max_length=2, strict=False)] = (Axis(),)
    points: Annotated[int, Field(ge=2, le=20)] = POINTS
    folds: Annotated[int, Field(ge=2, le=20)] = FOLDS
    figure: Figure = "accuracy"
    refit: Literal["1se", "min", "none"] = "1se"

    def filled(self) -> StrengthStudy:
        base = completed(self.base)
        if base.data.folds is not None:
            raise SpecError("base.data.folds", "the study makes the folds itself; leave it out.")
        differing("strengths", [axis.regulariser for axis in self.strengths])
        axes = []
        for i, axis in enumerate(self.strengths):
            kind = chosen_regulariser(base, axis.regulariser).kind
            grid = strengths(kind, self.points, BELOW) if axis.grid is None else axis.grid
            where = f"strengths[{i}].grid"
            if len(grid) < 2:
                raise SpecError(where, "a grid needs two values or more.")
            differing(where, grid)
            if max(grid) > REGULARISERS[kind].strength_max:
                most = REGULARISERS[kind].strength_max
                raise SpecError(where, f"{max(grid):g} is no λ of {kind}; it goes to {most:g}.")
            axes.append(axis.model_copy(update={"grid": tuple(sorted(grid))}))
        return self.model_copy(update={"base": base, "strengths": tuple(axes)})

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the regularisers whose λ is asked for."""
        return tuple(self.base.regularisers[axis.regulariser].kind for axis in self.strengths)

    @property
    def grid(self) -> tuple[Point, ...]:
        return tuple(itertools.product(*(axis.grid or () for axis in self.strengths)))

    def cells(self, table: Table) -> list[Cell]:
        # Fold by fold, so that the whole curve is there early, if roughly.
        found = [self._cell(point, fold) for fold in range(self.folds) for point in self.grid]
        return found + list(self._refit(table))

    def _cell(self, point: Point, fold: int) -> Cell:
        data = self.base.data.model_copy(update={"folds": self.folds, "fold": fold})
        spec = self.with_strengths(point).model_copy(update={"data": data})
        column = f"fold {fold + 1}"
        name = f"{self._said(point)}, {column} of {self.folds}"
        key, settings = f"{self._key(point)}/{fold}", self._settings(point)
        spec = spec.model_copy(update={"name": name[:80]})
        return Cell(key, spec, settings, fold=fold, row=self._said(point), column=column)

    def _refit(self, table: Table) -> Iterator[Cell]:
        """The last run, once the whole table is known."""
        choice = self.choice(table)
        if self.refit == "none" or choice is None:
            return
        if any(self._told(table, point) is None for point in self.grid):
            return
        point = choice.lambda_min if self.refit == "min" else choice.lambda_1se
        row = f"{self._said(point)}, all folds"
        spec = fixed(self.with_strengths(point), self._told(table, point) or [])
        key, spec = f"test {self._key(point)}", spec.model_copy(update={"name": row})
        yield Cell(key, spec, self._settings(point), role="test", row=row, column="test part")

    def with_strengths(self, point: Point) -> RunSpec:
        """The base run with these λ."""
        regularisers = list(self.base.regularisers)
        for axis, strength in zip(self.strengths, point, strict=True):
            i = axis.regulariser
            regularisers[i] = regularisers[i].model_copy(update={"strength": float(strength)})
        return self.base.model_copy(update={"regularisers": tuple(regularisers)})

    def _key(self, point: Point) -> str:
        return " ".join(f"{strength!r}" for strength in point)

    def _said(self, point: Point) -> str:
        if len(point) == 1:
            return f"λ {point[0]:g}"
        titles = [REGULARISERS[kind].title for kind in self.kinds]
        return ", ".join(f"{title} {strength:g}" for title, strength in zip(titles, point, strict=True))

    def _settings(self, point: Point) -> dict[str, float]:
        names = ["lambda"] if len(point) == 1 else [f"lambda_{kind}" for kind in self.kinds]
        return dict(zip(names, point, strict=True))

    def _told(self, table: Table, point: Point) -> list[CellFigures] | None:
        """Of each fold; empty: some of them failed, so this λ can't be chosen; None: some are not known
        yet."""
        cells = [table.get(f"{self._key(point)}/{fold}") for fold in range(self.folds)]
        if any(told is None or told.state not in ("done", "failed") for told in cells):
            return None
        found = [told.figures for told in cells if told is not None and told.figures is not None]
        return found if len(found) == self.folds else []

    def known(self, table: Table) -> dict[Point, list[CellFigures]]:
        """Of each point of the grid that can be chosen, the figures of its folds."""
        return {point: told for point in self.grid if (told := self._told(table, point))}

    def choice(self, table: Table) -> PointChoice | None:
        """The choice among the points that are known; None: there is none yet."""
        known = self.known(table)
        if not known:
            return None
        errors = [[each.error(self.figure) for each in folds] for folds in known.values()]
        return choose_strengths(list(known), errors)

    def cost(self) -> Cost:
        runs = len(self.grid) * self.folds + (self.refit != "none")
        return Cost(runs, runs * self.base.train.epochs)

    def looks(self, table: Table) -> int:
        """How often the test part was looked at: once for each last run."""
        return sum(told.state == "done" for key, told in table.items() if key.startswith("test "))

    def result(self, table: Table) -> dict[str, Any]:
        choice = self.choice(table)
        if choice is None:
            return {}
        known = self.known(table)
        failed = [point for point in self.grid if self._told(table, point) == []]

        def plain(point: Point) -> float | list[float]:
            return point[0] if len(point) == 1 else list(point)

        def means(name: str) -> list[float]:
            return [sum(getattr(each, name) for each in known[point]) / self.folds for point in choice.grid]

        found: dict[str, Any] = {
            "lambda_min": plain(choice.lambda_min),
            "lambda_1se": plain(choice.lambda_1se),
            "grid": [plain(point) for point in choice.grid],
            "mean": list(choice.mean),
            "standard_error": list(choice.standard_error),
            "folds": self.folds,
            "figure": "loss" if self.figure == "loss" else "error",
            "complete": len(known) + len(failed) == len(self.grid),
            "edge": choice.edges[0] if len(choice.edges) == 1 else list(choice.edges),
            "alike": [plain(point) for point in self._alike(known, choice)],
            "accuracy": means("accuracy"),
            "train_accuracy": means("train_accuracy"),
            "zeros": means("zeros"),
            "failed": [plain(point) for point in failed],
            "names": [REGULARISERS[kind].title for kind in self.kinds],
            "train_images": self.base.data.train_images,
            "stops_early": stops_early(self.base),
        }
        for cell in self._refit(table):
            if figures := done(table, cell.key):
                found["test"] = {
                    "lambda": plain(tuple(float(each) for each in cell.settings.values())),  # type: ignore[arg-type]
                    **accuracy_interval(figures),
                    "zeros": figures.zeros,
                    "run": table[cell.key].run_id,
                    "looks": self.looks(table),
                    **({"epochs": cell.epochs} if stops_early(self.base) else {}),
                }
        return found

    def _alike(self, known: dict[Point, list[CellFigures]], choice: PointChoice) -> list[Point]:
        """The other points whose error can't be told from that of the best, fold by fold."""
        errors = {point: [each.error(self.figure) for each in known[point]] for point in choice.grid}
        best = errors[choice.lambda_min]
        return [
            point
            for point in choice.grid
            if point != choice.lambda_min and not paired_difference(errors[point], best).is_beyond_noise
        ]

    def extended(self, table: Table) -> StrengthStudy | None:
        """The same with a longer grid, where the best lies at its edge; None: it does not, or it can't be
        longer. Of two strengths each is looked at."""
        choice = self.choice(table)
        if choice is None:
            return None
        axes = [
            axis.model_copy(update={"grid": _longer(axis.grid or (), best, kind)})
            for axis, best, kind in zip(self.strengths, choice.lambda_min, self.kinds, strict=True)
        ]
        if axes == list(self.strengths):
            return None
        return self.model_copy(update={"strengths": tuple(axes)})


def _longer(grid: Sequence[float], best: float, kind: str) -> tuple[float, ...]:
    """``grid``, in the same ratio beyond the end at which ``best`` lies, as far as the kind's strength
    goes."""
    above = [each for each in grid if each > 0]
    if len(above) < 2 or (grid[0] < best < grid[-1]) or best == 0:
        return tuple(grid)
    ratio = (above[-1] / above[0]) ** (1 / (len(above) - 1))
    most = REGULARISERS[kind].strength_max
    if best == grid[-1]:
        new = [above[-1] * ratio**i for i in range(1, EXTENSION + 1)]
    else:
        new = [above[0] / ratio**i for i in range(1, EXTENSION + 1)] if grid[0] > 0 else []
    more = {float(f"{each:.2g}") for each in new if each <= most}
    return tuple(sorted({*grid, *more}))
