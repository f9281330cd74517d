"""Does a teacher help: a student taught by a trained network, by the labels alone, and by smoothed labels."""

from __future__ import annotations

import statistics
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from core.catalogues import completed
from core.run.errors import SpecError
from core.run.spec import ModelSpec, RegulariserSpec, RunSpec
from core.study.cells import Cell, CellFigures, Making, Table, Value
from core.study.early import stops_early
from core.study.questions.answers import done, is_over
from core.study.rules.effects import SURE, Effect, plain_effect, single_effects
from core.study.spec import MOST_SEEDS, Cost, Study, unnamed, with_seed
from core.transform.plan import Asked, Further, planned

TEACHER, ALONE, SMOOTHED, TAUGHT = "teacher", "student alone", "with label smoothing", "taught"
STUDENTS = (ALONE, SMOOTHED, TAUGHT)
SMALL = ModelSpec(arch="mlp", params={"hidden": [16, 10]})


class _Specs(NamedTuple):
    """Of one seed; the students begin with the same weights and see the same batches."""

    teacher: RunSpec
    alone: RunSpec
    smoothed: RunSpec
    taught: RunSpec


class DistillationStudy(Study):
    """See the module.

    Args:
        base: the teacher.
        student: its architecture; it is trained as the teacher, but without what acts on weights.
        epochs: of the student; None: as many as the teacher.
        temperature, alpha: see the regulariser ``distillation``.
        smoothing: the share of each label that is spread over all classes, for the rival.
        seeds: how many of each: pairs.
    """

    question: Literal["distillation"] = "distillation"
    student: ModelSpec = SMALL
    epochs: Annotated[int, Field(ge=1, le=1000)] | None = None
    temperature: Annotated[float, Field(ge=1, le=20)] = 4.0
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.9
    smoothing: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seeds: Annotated[int, Field(ge=2, le=MOST_SEEDS)] = 5

    def filled(self) -> DistillationStudy:
        base = unnamed(completed(self.base))
        epochs = base.train.epochs if self.epochs is None else self.epochs
        study = self.model_copy(update={"base": base, "epochs": epochs})
        specs = study._specs(0)
        return study.model_copy(update={"student": specs.alone.model})

    @property
    def further(self) -> Further:
        return Further(epochs=self.epochs or self.base.train.epochs)

    @property
    def params(self) -> dict[str, Any]:
        return {"temperature": self.temperature, "alpha": self.alpha}

    def _specs(self, number: int) -> _Specs:
        teacher = with_seed(self.base, number)
        asked = Asked(sources=(TEACHER,), params=self.params, train=self.further, model=self.student)
        try:
            taught = unnamed(planned("distil", asked, [teacher]).spec)
        except SpecError as error:
            where = error.where.replace("model", "student", 1)
            raise SpecError(where, error.what, error.code, error.values) from None
        kept = tuple(
            each for each in taught.regularisers if each.kind not in ("distillation", "label_smoothing")
        )
        smoothing = RegulariserSpec(kind="label_smoothing", strength=self.smoothing)
        alone = completed(taught.model_copy(update={"regularisers": kept}))
        smoothed = completed(taught.model_copy(update={"regularisers": (*kept, smoothing)}))
        return _Specs(teacher, alone, smoothed, taught)

    def cells(self, table: Table) -> list[Cell]:
        found = []
        for number in range(self.seeds):
            specs = self._specs(number)
            seed = specs.teacher.seed
            for who, spec in zip((TEACHER, *STUDENTS), specs, strict=True):
                made = None
                if who == TAUGHT:
                    of = (_key(TEACHER, number),)
                    made = Making("distil", of, self.params, self.further, self.student)
                named = spec.model_copy(update={"name": f"{who[:1].upper()}{who[1:]}, seed {seed}"})
                told: dict[str, Value] = {"who": who, "seed": seed}
                column = f"seed {seed}"
                found.append(Cell(_key(who, number), named, told, made=made, row=who, column=column))
        return found

    def cost(self) -> Cost:
        epochs = self.base.train.epochs + len(STUDENTS) * self.further.epochs
        return Cost(self.seeds * (1 + len(STUDENTS)), self.seeds * epochs)

    def result(self, table: Table) -> dict[str, Any]:
        whole = [
            number
            for number in range(self.seeds)
            if all(done(table, _key(who, number)) for who in (TEACHER, *STUDENTS))
        ]
        known = {who: _figures(table, who, whole) for who in (TEACHER, *STUDENTS)}
        if not whole:
            return {}
        keys = [_key(who, number) for who in known for number in range(self.seeds)]
        found: dict[str, Any] = {
            "figure": "accuracy",
            "sure": SURE,  # of both effects together; each interval is as much wider
            "seeds": len(whole),
            "rows": [_row(who, figures) for who, figures in known.items()],
            "effects": [],
            "interactions": [],
            "calibration": [],
            "complete": all(is_over(table, key) for key in keys),
            "stops_early": stops_early(self.base),
        }
        if len(whole) > 1:
            found["effects"] = [plain_effect(each) for each in _effects(known, "accuracy")]
            if all(each.calibration_error is not None for rows in known.values() for each in rows):
                found["calibration"] = [plain_effect(each) for each in _effects(known, "calibration_error")]
        return found


def _key(who: str, number: int) -> str:
    return f"{who}/{number}"


def _figures(table: Table, who: str, numbers: list[int]) -> list[CellFigures]:
    return [each for number in numbers if (each := done(table, _key(who, number))) is not None]


def _effects(known: dict[str, list[CellFigures]], figure: str) -> list[Effect]:
    """What teaching and smoothing change against the student alone, pair by pair."""
    of = {who: [float(getattr(each, figure)) for each in figures] for who, figures in known.items()}
    return single_effects(["the teacher", "label smoothing"], [of[TAUGHT], of[SMOOTHED]], of[ALONE])


def _row(who: str, figures: list[CellFigures]) -> dict[str, Any]:
    accuracies = [each.accuracy for each in figures]
    errors = [each.calibration_error for each in figures if each.calibration_error is not None]
    return {
        "who": who,
        "n": len(figures),
        "mean": statistics.fmean(accuracies),
        "sd": statistics.stdev(accuracies) if len(figures) > 1 else None,
        "accuracies": accuracies,
        "calibration_error": statistics.fmean(errors) if len(errors) == len(figures) else None,
        "images": figures[0].images,
        "parameters": figures[0].parameters,
    }
