"""Which of many: settings drawn from ranges, and successive halving that goes on from checkpoints.

Every setting is one run with the whole budget that waits at each rung; who is promoted goes on where it was.
All are judged by one fold of the training images. The winner is trained again on all of them, and judged by
what the base run keeps for validation: nothing chose by that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from core.catalogues import completed
from core.run.errors import SpecError
from core.run.spec import Part, RunSpec, place_of, values_of
from core.study.cells import Cell, Figure, Table, Value
from core.study.early import fixed, stops_early
from core.study.questions.answers import accuracy_interval, done, is_over
from core.study.rules.halving import Rung, brackets, promoted, rungs
from core.study.samplers import SAMPLERS, Dial
from core.study.spec import MOST_CELLS, Cost, Study, with_changes
from core.text.edits import path_in_words, value_in_words

FOLDS = 5
MOST_SETTINGS = 200
DRAWS = 20  # tries for one setting that no other is

Method = Literal["halving", "hyperband", "full"]


class Dimension(Part):
    """A field that is varied, at ``path``: one of ``values``, or a number from ``low`` to ``high``, evenly or
    on a ``log`` scale."""

    path: Annotated[str, Field(min_length=1, max_length=120)]
    values: Annotated[
        tuple[bool | int | float | Annotated[str, Field(max_length=64)], ...],
        Field(max_length=50, strict=False),
    ] = ()
    low: float | None = None
    high: float | None = None
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False

    @model_validator(mode="after")
    def check_range(self) -> Dimension:
        if self.values:
            if self.low is not None or self.high is not None:
                raise ValueError("a field has either values or a range")
            return self
        if self.low is None or self.high is None or not self.low < self.high:
            raise ValueError("a field needs values, or a low below a high")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("a logarithmic range begins above 0")
        return self

    def at(self, share: float) -> Value:
        """The value at a share in [0, 1) of the range."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        assert self.low is not None and self.high is not None
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + (self.high - self.low) * share
        return round(value) if self.integer else float(f"{value:.3g}")

    @property
    def dial(self) -> Dial:
        return Dial(self.path, len(self.values))


class SearchStudy(Study):
    """See the module.

    Args:
        fields: what is varied.
        sampler: ``random``; ``grid``: all combinations of fields that have values; ``optuna``: Optuna's TPE,
            which looks at what came out before (needs ``pip install optuna``).
        settings: how many, of a ``grid`` all.
        method: ``halving``; ``hyperband``: several brackets of it, ``settings`` follows from ``epochs``;
            ``full``: every setting gets all epochs.
        eta: one in so many is promoted.
        first: epochs of the first rung; ``epochs``: of the last, the whole budget of a run.
        seed: what the settings are drawn by.
        folds: one fold in so many judges.
    """

    question: Literal["search"] = "search"
    fields: Annotated[tuple[Dimension, ...], Field(max_length=8, strict=False)] = ()
    sampler: str = "random"
    settings: Annotated[int, Field(ge=2, le=MOST_SETTINGS)] = 27
    method: Method = "halving"
    eta: Annotated[int, Field(ge=2, le=5)] = 3
    first: Annotated[int, Field(ge=1, le=1000)] = 1
    epochs: Annotated[int, Field(ge=1, le=1000)] | None = None
    figure: Figure = "accuracy"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    folds: Annotated[int, Field(ge=2, le=20)] = FOLDS
    refit: bool = True

    def filled(self) -> SearchStudy:
        base = completed(self.base)
        if base.data.folds is not None:
            raise SpecError("base.data.folds", "the study makes the folds itself; leave it out.")
        epochs = self.epochs or base.train.epochs
        base = base.model_copy(update={"train": base.train.model_copy(update={"epochs": epochs})})
        if not self.fields:
            raise SpecError("fields", "say what is to be varied: at least one field with values or a range.")
        if len({each.path for each in self.fields}) < len(self.fields):
            raise SpecError("fields", "a field stands there twice.")
        for i, each in enumerate(self.fields):
            if each.path.startswith(("train.epochs", "data.", "seed", "name", "versions")):
                what = f"{each.path} can't be varied: runs would not be judged by the same images and budget."
                raise SpecError(f"fields[{i}]", what)
            for share in (0.0, 1 - 1e-9):
                with_changes(base, {each.path: each.at(share)})
            place_of(values_of(base), each.path)
        SAMPLERS.check(self.sampler, [each.dial for each in self.fields])
        study = self.model_copy(update={"base": base, "epochs": epochs})
        if all(each.values for each in self.fields):
            every = math.prod(len(each.values) for each in self.fields)
            if every < 2 or (self.sampler == "grid" and every > MOST_SETTINGS):
                what = f"these are {every:,} combinations; 2 to {MOST_SETTINGS} are allowed."
                raise SpecError("fields", what)
            wanted = every if self.sampler == "grid" else min(every, self.settings)
            study = study.model_copy(update={"settings": wanted})
        if self.first > epochs:
            raise SpecError("first", f"the first rung has {self.first} epochs, and a run only {epochs}.")
        if self.method == "hyperband":
            begun = sum(plan[0].settings for plan in study.plans)
            if begun > MOST_CELLS:
                raise SpecError(
                    "epochs", f"its brackets begin {begun} settings; at most {MOST_CELLS} are allowed."
                )
            study = study.model_copy(update={"settings": min(MOST_SETTINGS, begun)})
        return study

    @property
    def most(self) -> int:
        return self.epochs or self.base.train.epochs

    @property
    def plans(self) -> tuple[tuple[Rung, ...], ...]:
        """The rungs of each bracket."""
        if self.method == "full":
            return ((Rung(self.settings, self.most),),)
        if self.method == "hyperband":
            return brackets(self.most, self.eta)
        return (rungs(self.settings, self.eta, min(self.first, self.most), self.most),)

    def drawn(self, table: Table, bracket: int) -> Iterator[tuple[str, Mapping[str, Value], RunSpec]]:
        """The settings of a bracket, as far as they can be drawn: name, values by path, and spec."""
        plan = self.plans[bracket]
        first = plan[0].epochs
        judged = self._judged(table, bracket, first)
        shares = SAMPLERS[self.sampler].shares(
            [each.dial for each in self.fields], self.seed, bracket, judged
        )
        seen: set[str] = set()
        number = tries = 0
        for drawn in shares:
            values = {each.path: each.at(share) for each, share in zip(self.fields, drawn, strict=True)}
            said = repr(sorted(values.items()))
            tries += 1
            if said in seen and tries < DRAWS * self.settings and self.sampler == "random":
                continue
            seen.add(said)
            try:
                yield f"{bracket}.{number}", values, with_changes(self.base, values)
            except SpecError as error:
                raise SpecError("fields", f"a combination can't be trained: {error}") from None
            number += 1
            if number == plan[0].settings:
                return

    def _judged(self, table: Table, bracket: int, epochs: int) -> list[float | None]:
        """The errors of the bracket's settings at its first rung, in their order, up to the first that is not
        known; None: it failed."""
        found: list[float | None] = []
        for number in itertools.count():
            key = _key(f"{bracket}.{number}", epochs)
            if not is_over(table, key):
                return found
            figures = done(table, key)
            found.append(figures.error(self.figure) if figures else None)
        return found

    def cells(self, table: Table) -> list[Cell]:
        found = [cell for bracket in range(len(self.plans)) for cell in self._bracket(table, bracket)]
        return found + list(self._refit(table))

    def _bracket(self, table: Table, bracket: int) -> Iterator[Cell]:
        settings = {name: (values, spec) for name, values, spec in self.drawn(table, bracket)}
        plan = self.plans[bracket]
        names, before = list(settings), 0
        for rung, following in itertools.zip_longest(plan, plan[1:]):
            for name in names:
                values, spec = settings[name]
                yield self._cell(name, values, spec, rung.epochs, before)
            keys = {name: _key(name, rung.epochs) for name in names}
            if following is None or len(settings) < plan[0].settings:
                return
            if not all(is_over(table, key) for key in keys.values()):
                return
            # Those that failed are not promoted; if they are many, fewer go on.
            errors = {
                name: figures.error(self.figure)
                for name, key in keys.items()
                if (figures := done(table, key))
            }
            names = promoted({name: -error for name, error in errors.items()}, following.settings)
            before = rung.epochs

    def _cell(self, name: str, values: Mapping[str, Value], spec: RunSpec, epochs: int, before: int) -> Cell:
        data = spec.data.model_copy(update={"folds": self.folds, "fold": 0})
        said = f"{name}: {self.said(values)}"
        return Cell(
            _key(name, epochs),
            spec.model_copy(update={"data": data, "name": said[:80]}),
            {"setting": name, **values},
            until=epochs if epochs < self.most else None,
            follows=_key(name, before) if before else None,
            fold=0,
            row=said,
            column=f"{epochs} {'epoch' if epochs == 1 else 'epochs'}",
        )

    def _refit(self, table: Table) -> Iterator[Cell]:
        winner = self.winner(table)
        if not self.refit or winner is None or not self._is_complete(table):
            return
        name, values, spec = winner
        said = "The winner, all folds"
        chose = done(table, _key(name, self.most))
        spec = fixed(spec, [chose] if chose else []).model_copy(update={"name": said})
        yield Cell(f"test {name}", spec, dict(values), role="test", row=said, column="test part")

    def _is_complete(self, table: Table) -> bool:
        return all(
            all(is_over(table, cell.key) for cell in self._bracket(table, bracket))
            for bracket in range(len(self.plans))
        )

    def winner(self, table: Table) -> tuple[str, Mapping[str, Value], RunSpec] | None:
        """The best of those that had the whole budget; of equal ones the first. None: there is none yet."""
        best: tuple[float, tuple[str, Mapping[str, Value], RunSpec]] | None = None
        for bracket in range(len(self.plans)):
            for name, values, spec in self.drawn(table, bracket):
                figures = done(table, _key(name, self.most))
                if figures and (best is None or figures.error(self.figure) < best[0]):
                    best = figures.error(self.figure), (name, values, spec)
        return best[1] if best else None

    def cost(self) -> Cost:
        runs = sum(plan[0].settings for plan in self.plans)
        epochs = sum(
            rung.settings * (rung.epochs - before)
            for plan in self.plans
            for rung, before in zip(plan, (0, *(each.epochs for each in plan)), strict=False)
        )
        return Cost(runs + self.refit, epochs + self.refit * self.most)

    def said(self, values: Mapping[str, Value]) -> str:
        """A setting's values in words."""
        varied = [(path, value) for path, value in values.items() if path != "setting"]
        return ", ".join(
            f"{path_in_words(path, self.base)} {value_in_words(value)}" for path, value in varied
        )

    def looks(self, table: Table) -> int:
        """How often something was chosen by the fold that judges: each setting at each rung."""
        return sum(told.state == "done" for key, told in table.items() if not key.startswith("test "))

    def epochs_spent(self, table: Table) -> int:
        """Epochs that were trained so far to choose, each once."""
        longest: dict[str, int] = {}
        for key, told in table.items():
            name, at, _ = key.partition("@")
            if at and told.figures is not None:
                longest[name] = max(longest.get(name, 0), told.figures.epochs)
        return sum(longest.values())

    def result(self, table: Table) -> dict[str, Any]:
        winner = self.winner(table)
        found: dict[str, Any] = {
            "epochs_spent": self.epochs_spent(table),
            "epochs_of_full_search": sum(plan[0].settings for plan in self.plans) * self.most,
            "looks": self.looks(table),
            "complete": self._is_complete(table),
            "stops_early": stops_early(self.base),
            "train_images": self.base.data.train_images,
            "epochs_planned": sorted({rung.epochs for plan in self.plans for rung in plan}),
            "rungs": [
                {
                    "setting": str(cell.settings["setting"]),
                    "epochs": cell.epochs,
                    "accuracy": figures.accuracy,
                    "loss": figures.loss,
                    "run": table[cell.key].run_id,
                    "values": self.said(cell.settings),
                }
                for bracket in range(len(self.plans))
                for cell in self._bracket(table, bracket)
                if (figures := done(table, cell.key))
            ],
        }
        if winner is None:
            return found if found["looks"] or found["complete"] else {}
        name, values, _ = winner
        figures = done(table, _key(name, self.most))
        assert figures is not None
        found |= {
            "winner": {"setting": name, **values},
            "winner_in_words": self.said(values),
            "accuracy": figures.accuracy,
            "loss": figures.loss,
            "images": figures.images,
            "run": table[_key(name, self.most)].run_id,
        }
        for cell in self._refit(table):
            if tested := done(table, cell.key):
                found["test"] = {**accuracy_interval(tested), "run": table[cell.key].run_id}
                if stops_early(winner[2]):
                    found["test"]["epochs"] = cell.epochs
        return found


def _key(name: str, epochs: int) -> str:
    return f"{name}@{epochs}"
