"""Does it help: choices on and off over several seeds, and what each adds, from pairs with the same seed."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal

from pydantic import Field

from core.catalogues import completed
from core.run.errors import SpecError
from core.study.cells import Cell, CellFigures, Table
from core.study.early import stops_early
from core.study.questions.answers import done, is_over
from core.study.questions.switches import Switch, setting_of, switches_of
from core.study.rules.effects import Effect, Setting, factorial_effects, plain_effect, single_effects
from core.study.spec import MOST_SEEDS, Cost, Study, differing, with_seed

MOST_SWITCHES = 6
JUDGED = ("accuracy", "loss", "zeros")


class AblationStudy(Study):
    """See the module.

    Args:
        switches: empty: what the base run has that can be left out.
        design: ``factorial`` trains all 2^k settings, so that it can tell which choices work better together;
            ``one-at-a-time`` all off, and each alone on.
        seeds: how many, from that of the base run; all other chance but which images are kept varies.
        figure: what an effect is of: ``accuracy`` on the images kept for validation, ``loss``, or ``zeros``,
            the share of the weights that are exactly 0.
    """

    question: Literal["ablation"] = "ablation"
    switches: Annotated[tuple[Switch, ...], Field(max_length=MOST_SWITCHES, strict=False)] = ()
    design: Literal["factorial", "one-at-a-time"] = "factorial"
    seeds: Annotated[int, Field(ge=2, le=MOST_SEEDS)] = 5
    figure: Literal["accuracy", "loss", "zeros"] = "accuracy"

    def filled(self) -> AblationStudy:
        base = completed(self.base)
        switches = self.switches or tuple(switches_of(base))
        if not switches:
            raise SpecError(
                "switches",
                "the run has nothing that could be left out; give it an augmentation or a regulariser.",
            )
        if len(switches) > MOST_SWITCHES:
            what = f"the run has {len(switches)} choices that could be left out; name up to {MOST_SWITCHES}."
            raise SpecError("switches", what)
        differing("switches", [switch.name for switch in switches])
        study = self.model_copy(update={"base": base, "switches": switches})
        specs = {}
        for setting in study.settings:
            try:
                specs[setting] = setting_of(base, switches, setting)
            except SpecError as error:
                said = study.said(setting)
                raise SpecError("switches", f"the run with {said} can't be trained: {error}") from None
        if len({spec.choices().to_json() for spec in specs.values()}) < len(specs):
            raise SpecError("switches", "two settings are the same run; a switch must change something.")
        return study

    @property
    def settings(self) -> tuple[Setting, ...]:
        count = len(self.switches)
        if self.design == "factorial":
            return tuple(itertools.product((False, True), repeat=count))
        alone = [tuple(i == j for j in range(count)) for i in range(count)]
        return (tuple([False] * count), *alone)

    def said(self, setting: Setting) -> str:
        """E.g. ``L1, dropout``; ``none`` where all are off."""
        on = [switch.name for switch, is_on in zip(self.switches, setting, strict=True) if is_on]
        return ", ".join(on) or "none"

    def cells(self, table: Table) -> list[Cell]:
        found = []
        specs = {setting: setting_of(self.base, self.switches, setting) for setting in self.settings}
        for number in range(self.seeds):  # seed by seed: pairs are whole early
            for setting, spec in specs.items():
                seeded = with_seed(spec, number)
                name = f"{self.said(setting)}, seed {seeded.seed}"[:80]
                switched = {switch.name: on for switch, on in zip(self.switches, setting, strict=True)}
                key, settings = self._key(setting, number), {**switched, "seed": seeded.seed}
                seeded = seeded.model_copy(update={"name": name})
                row = self.said(setting)
                found.append(Cell(key, seeded, settings, row=row, column=f"seed {seeded.seed}"))
        return found

    def _key(self, setting: Setting, number: int) -> str:
        return f"{''.join('1' if each else '0' for each in setting)}/{number}"

    def cost(self) -> Cost:
        runs = len(self.settings) * self.seeds
        return Cost(runs, runs * self.base.train.epochs)

    def whole_seeds(self, table: Table) -> list[int]:
        """The seeds of which every setting is known."""
        return [
            number
            for number in range(self.seeds)
            if all(done(table, self._key(setting, number)) for setting in self.settings)
        ]

    def figures(self, table: Table, setting: Setting) -> list[CellFigures]:
        """Of the seeds of which every setting is known."""
        found = [done(table, self._key(setting, number)) for number in self.whole_seeds(table)]
        return [each for each in found if each is not None]

    def effects(self, table: Table) -> tuple[list[Effect], list[Effect]]:
        """Main effects and interactions; none of fewer than two seeds."""
        whole = self.whole_seeds(table)
        if len(whole) < 2:
            return [], []
        judged = {
            setting: [float(getattr(each, self.figure)) for each in self.figures(table, setting)]
            for setting in self.settings
        }
        names = [switch.name for switch in self.switches]
        if self.design == "factorial":
            return factorial_effects(
                names, [{setting: judged[setting][i] for setting in self.settings} for i in range(len(whole))]
            )
        without, *alone = (judged[setting] for setting in self.settings)
        return single_effects(names, alone, without), []

    def result(self, table: Table) -> dict[str, Any]:
        main, pairs = self.effects(table)
        if not main:
            return {}
        over = all(is_over(table, cell) for cell in self._keys())
        return {
            "figure": self.figure,
            "design": self.design,
            "seeds": len(self.whole_seeds(table)),
            "effects": [plain_effect(each) for each in main],
            "interactions": [plain_effect(each) for each in pairs],
            "settings": [
                {
                    **{switch.name: on for switch, on in zip(self.switches, setting, strict=True)},
                    "mean": sum(values) / len(values),
                    "n": len(values),
                }
                for setting in self.settings
                if (values := [getattr(each, self.figure) for each in self.figures(table, setting)])
            ],
            "complete": over,
            "stops_early": stops_early(self.base),
        }

    def _keys(self) -> list[str]:
        return [self._key(setting, number) for number in range(self.seeds) for setting in self.settings]
