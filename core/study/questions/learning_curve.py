"""How many images: one run on ever more training images, over several seeds; and the same of one switch."""

from __future__ import annotations

import math
import statistics
from typing import Annotated, Any, Literal

from pydantic import Field

from core.catalogues import completed
from core.data.shape import training_images
from core.measure.mean import mean_interval, paired_difference
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.study.cells import Cell, CellFigures, Table, Value
from core.study.early import stops_early
from core.study.questions.answers import done, is_over
from core.study.questions.switches import Switch, setting_of
from core.study.spec import MOST_SEEDS, Cost, Study, differing, with_seed

FEWEST = 60  # images that a grid of its own begins with
POINTS = 6
MOST_EPOCHS = 1000


class LearningCurveStudy(Study):
    """See the module.

    Args:
        images: how many to train on; empty: some, each about twice as many as the one before, up to all.
        budget: ``epochs``: each run goes through its images as often; ``steps``: each makes as many steps as
            the base run with all images, so that few images are seen more often.
        switch: a second curve, with this switch off; the first has it on.
    """

    question: Literal["learning-curve"] = "learning-curve"
    images: Annotated[
        tuple[Annotated[int, Field(ge=10, le=1_000_000)], ...], Field(max_length=20, strict=False)
    ] = ()
    seeds: Annotated[int, Field(ge=2, le=MOST_SEEDS)] = 3
    budget: Literal["epochs", "steps"] = "epochs"
    switch: Switch | None = None

    def filled(self) -> LearningCurveStudy:
        base = completed(self.base)
        whole = training_images(base.data)
        images = tuple(sorted(self.images))
        if not images:
            if whole is None:
                raise SpecError(
                    "images", "say how many images to try: those of your own are not counted yet."
                )
            images = tuple(
                sorted({max(10, round(whole / 2**i)) for i in range(POINTS) if whole / 2**i >= FEWEST})
            )
        if len(images) < 2:
            raise SpecError("images", "a curve needs two numbers of images or more.")
        differing("images", images)
        if whole is not None and images[-1] > whole:
            what = f"there are {whole:,} images to train on; {images[-1]:,} are too many."
            raise SpecError("images", what, "too_large", {"value": images[-1], "le": whole})
        study = self.model_copy(update={"base": base, "images": images})
        for variant in study.variants:
            study._spec(images[0], variant)
        return study

    @property
    def variants(self) -> tuple[str, ...]:
        """What each curve is called: one, or two with and without the switch."""
        return ("",) if self.switch is None else (f"with {self.switch.name}", f"without {self.switch.name}")

    def _spec(self, images: int, variant: str) -> RunSpec:
        spec = self.base
        if self.switch is not None:
            spec = setting_of(spec, [self.switch], [variant == self.variants[0]])
        # All of them are left to the split, which knows how many they are.
        wanted = self.base.data.train_images if images == training_images(self.base.data) else images
        data = spec.data.model_copy(update={"train_images": wanted})
        train = spec.train.model_copy(update={"epochs": self._epochs(images)})
        return completed(spec.model_copy(update={"data": data, "train": train}))

    def _epochs(self, images: int) -> int:
        epochs, size = self.base.train.epochs, self.base.train.batch_size
        if self.budget == "epochs":
            return epochs
        steps = epochs * math.ceil(self.images[-1] / size)
        return min(MOST_EPOCHS, max(1, round(steps / math.ceil(images / size))))

    def cells(self, table: Table) -> list[Cell]:
        found = []
        for number in range(self.seeds):
            for images in self.images:
                for i, variant in enumerate(self.variants):
                    spec = with_seed(self._spec(images, variant), number)
                    row = ", ".join(filter(None, [f"{images:,} images", variant]))
                    settings: dict[str, Value] = {
                        "images": images,
                        **({"variant": variant} if variant else {}),
                    }
                    settings["seed"] = spec.seed
                    key, column = _key(i, images, number), f"seed {spec.seed}"
                    spec = spec.model_copy(update={"name": f"{row}, {column}"[:80]})
                    cell = Cell(key, spec, settings, row=row, column=column)
                    found.append(cell)
        return found

    def cost(self) -> Cost:
        runs = len(self.images) * len(self.variants) * self.seeds
        epochs = sum(self._epochs(images) for images in self.images)
        return Cost(runs, epochs * len(self.variants) * self.seeds)

    def figures(self, table: Table, variant: int, images: int) -> list[CellFigures]:
        found = [done(table, _key(variant, images, number)) for number in range(self.seeds)]
        return [each for each in found if each is not None]

    def result(self, table: Table) -> dict[str, Any]:
        curves = []
        for i, variant in enumerate(self.variants):
            points = [
                _point(images, figures)
                for images in self.images
                if (figures := self.figures(table, i, images))
            ]
            curves.append({"variant": variant, "points": points, **self._gain(table, i)})
        if not any(curve["points"] for curve in curves):
            return {}
        keys = [cell.key for cell in self.cells(table)]
        return {
            "figure": "accuracy",
            "curves": curves,
            **self._apart(table),
            "complete": all(is_over(table, key) for key in keys),
            "stops_early": stops_early(self.base),
        }

    def _values(self, table: Table, variant: int, images: int) -> dict[int, float]:
        """Accuracies by the number of the seed."""
        found = {number: done(table, _key(variant, images, number)) for number in range(self.seeds)}
        return {number: figures.accuracy for number, figures in found.items() if figures}

    def _gain(self, table: Table, variant: int) -> dict[str, Any]:
        """What the last images brought: from the last number but one to the last, in pairs of one seed."""
        fewer, more = self.images[-2:]
        found = _difference(self._values(table, variant, more), self._values(table, variant, fewer))
        return {"gain": {"from": fewer, "to": more, **found}} if found else {}

    def _apart(self, table: Table) -> dict[str, Any]:
        """The first curve less the second, in pairs of one seed, at each number of images."""
        if self.switch is None:
            return {}
        found = [
            {"images": images, **apart}
            for images in self.images
            if (apart := _difference(*(self._values(table, i, images) for i in range(2))))
        ]
        return {"apart": found, "switch": self.switch.name}


def _difference(ours: dict[int, float], theirs: dict[int, float]) -> dict[str, Any]:
    """Of the seeds that both have; empty: fewer than two."""
    both = sorted(ours.keys() & theirs.keys())
    if len(both) < 2:
        return {}
    found = paired_difference([ours[i] for i in both], [theirs[i] for i in both])
    ends = {"low": found.low, "high": found.high} if found.is_known else {}
    return {"mean": found.difference, "n": len(both), "is_told": found.is_beyond_noise, **ends}


def _key(variant: int, images: int, number: int) -> str:
    return f"{variant}/{images}/{number}"


def _point(images: int, figures: list[CellFigures]) -> dict[str, Any]:
    values = [each.accuracy for each in figures]
    found: dict[str, Any] = {
        "images": images,
        "mean": statistics.fmean(values),
        "train": statistics.fmean(each.train_accuracy for each in figures),
        "n": len(values),
        "values": values,
    }
    if len(values) > 1:
        _, found["low"], found["high"] = mean_interval(values)
        found["sd"] = statistics.stdev(values)
    return found
