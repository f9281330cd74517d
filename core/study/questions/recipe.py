"""What does each step cost: a network is trained, and then made smaller step by step, with every seed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from core.catalogue import look_up
from core.catalogues import completed
from core.measure.mean import mean_interval
from core.run.errors import SpecError
from core.run.spec import ModelSpec, Name, Params, Part, RunSpec
from core.study.cells import Cell, CellFigures, Making, Table, Value
from core.study.questions.answers import accuracy_interval, done, is_over
from core.study.spec import Cost, Study, unnamed, with_seed
from core.transform.catalogue import TRANSFORMS
from core.transform.plan import Asked, Further, Planned, held_by, in_words, planned

MOST_STEPS, MOST_CHAINS = 6, 20
TRAINED = "trained"


class Step(Part):
    """One step: a transform of one network, its parameters, and how it is trained on after it."""

    how: Name
    params: Params = Field(default_factory=dict)
    train: Further = Further()
    model: ModelSpec | None = None  # of a student


class RecipeStudy(Study):
    """See the module.

    Args:
        steps: each is made of the network of the one before; the first of the base run's.
        seeds: how many chains, with the base run's own.
    """

    question: Literal["recipe"] = "recipe"
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS, strict=False)] = (
        Step(how="prune", train=Further(epochs=3)),
        Step(how="shrink"),
        Step(how="quantise"),
    )
    seeds: Annotated[int, Field(ge=1, le=MOST_CHAINS)] = 1

    def filled(self) -> RecipeStudy:
        study = self.model_copy(update={"base": unnamed(completed(self.base))})
        plans = study.plans(study.base)
        steps = [
            step.model_copy(update={"params": plan.params})
            for step, plan in zip(study.steps, plans, strict=True)
        ]
        return study.model_copy(update={"steps": tuple(steps)})

    def plans(self, first: RunSpec) -> list[Planned]:
        """What each step comes to, from a run of this spec on.

        Raises:
            SpecError: one can't be made.
        """
        found, spec = [], first
        held: list[dict[str, Any]] = []
        for number, step in enumerate(self.steps):
            where = f"steps[{number}]"
            entry = look_up(TRANSFORMS, step.how, f"{where}.how", "transform")
            if entry.fewest > 1:
                what = f"{entry.title} takes several networks, and a recipe has one; leave it out."
                raise SpecError(f"{where}.how", what)
            asked = Asked(sources=(TRAINED,), params=step.params, train=step.train, model=step.model)
            try:
                found.append(planned(step.how, asked, [spec], [number == 0], held))
            except SpecError as error:
                raise SpecError(f"{where}.{error.where}".rstrip("."), error.what, error.code) from None
            spec = unnamed(found[-1].spec)
            held = [] if step.train.epochs else [*held_by(step.how, found[-1].params), *held]
        return found

    def said(self, number: int) -> str:
        """What a step is called: 0 is the training before them."""
        if number == 0:
            return f"0. {TRAINED}"
        step = self.steps[number - 1]
        return f"{number}. {in_words(TRANSFORMS[step.how], step.params, step.train.epochs)}"

    def cells(self, table: Table) -> list[Cell]:
        said = [self.said(number) for number in range(len(self.steps) + 1)]
        found = []
        for chain in range(self.seeds):
            first = with_seed(self.base, chain)
            settings: dict[str, Value] = {"seed": first.seed}
            column = f"seed {first.seed}"
            named = first.model_copy(update={"name": f"Recipe: trained, seed {first.seed}"})
            told = settings | {"step": 0, "made": TRAINED}
            found.append(Cell(_key(chain, 0), named, told, row=said[0], column=column))
            for number, (step, plan) in enumerate(zip(self.steps, self.plans(first), strict=True), 1):
                made = Making(step.how, (_key(chain, number - 1),), step.params, step.train, step.model)
                name = f"Recipe: {said[number]}, seed {first.seed}"[:80]
                spec = plan.spec.model_copy(update={"name": name})
                told = settings | {"step": number, "made": step.how}
                found.append(
                    Cell(_key(chain, number), spec, told, made=made, row=said[number], column=column)
                )
        return found

    def cost(self) -> Cost:
        epochs = self.base.train.epochs + sum(step.train.epochs for step in self.steps)
        return Cost(self.seeds * (1 + len(self.steps)), self.seeds * epochs)

    def result(self, table: Table) -> dict[str, Any]:
        rows = []
        for number in range(len(self.steps) + 1):
            if not (known := _pairs(table, number, self.seeds)):
                break
            rows.append({"said": self.said(number), **_row(known, number, table, self.seeds)})
        if not rows:
            return {}
        keys = [_key(chain, number) for chain in range(self.seeds) for number in range(len(self.steps) + 1)]
        return {"rows": rows, "steps": len(self.steps), "complete": all(is_over(table, key) for key in keys)}


def _key(chain: int, number: int) -> str:
    return f"{chain}/{number}"


def _pairs(table: Table, number: int, seeds: int) -> list[tuple[CellFigures | None, CellFigures]]:
    """Of each chain in which a step is done: the step before, and the step."""
    found = []
    for chain in range(seeds):
        before = done(table, _key(chain, number - 1)) if number else None
        if (own := done(table, _key(chain, number))) is not None and (number == 0 or before is not None):
            found.append((before, own))
    return found


def _row(
    known: list[tuple[CellFigures | None, CellFigures]], number: int, table: Table, seeds: int
) -> dict[str, Any]:
    own = [each for _, each in known]
    row: dict[str, Any] = {"n": len(own), "accuracies": [each.accuracy for each in own]}
    if len(own) == 1:
        row |= accuracy_interval(own[0])
    else:
        row["accuracy"], low, high = mean_interval(row["accuracies"])
        row["low"], row["high"] = max(0.0, low), min(1.0, high)
    row["zeros"] = _mean([each.zeros for each in own])
    row["parameters"] = _mean([each.parameters for each in own])
    after = [done(table, _key(chain, number + 1)) for chain in range(seeds)]
    row["bytes"] = _mean([each.bytes for each in own]) if number else None
    row["multiply_adds"] = _mean([each.multiply_adds for each in own]) if number else None
    if number == 0:  # it was measured beside what was made of it
        beside = [each for each in after if each is not None]
        row["bytes"] = _mean([each.bytes_before for each in beside])
        row["multiply_adds"] = _mean([each.multiply_adds_before for each in beside])
    row["times"] = _mean([each.times for each in own])
    if number:
        apart = [each.accuracy - before.accuracy for before, each in known if before is not None]
        row["change"] = _mean(apart)
        if len(apart) > 1:
            _, row["change_low"], row["change_high"] = mean_interval(apart)
    return row


def _mean(values: list[Any]) -> float | None:
    """None: one is not known, or there is none."""
    return None if not values or None in values else sum(values) / len(values)
