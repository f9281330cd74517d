"""How the settings of a search are drawn: one entry a way. A setting is a share of each field's range.

All are drawn again in the same order whenever they are asked for, so that nothing of a sampler is kept.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

from core.catalogue import Entry, look_up
from core.run.errors import SpecError


class Dial(NamedTuple):
    """A field that is varied; ``values``: how many it has, 0: it is a range."""

    path: str
    values: int


Draw = Callable[[Sequence[Dial], int, int, Sequence[float | None]], Iterator[tuple[float, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler(Entry):
    """A way to draw settings.

    Args:
        shares: from the dials, a seed, the bracket, and the errors of the first settings in their order
            (None: one that failed): all settings that can be drawn now, in their order, those that are judged
            first.
        needs: a package that has to be installed.
        only_values: every field must have values.
    """

    shares: Draw
    needs: str = ""
    only_values: bool = False


def _random(
    dials: Sequence[Dial], seed: int, bracket: int, judged: Sequence[float | None]
) -> Iterator[tuple[float, ...]]:
    draws = random.Random(f"{seed}/{bracket}")
    while True:
        yield tuple(draws.random() for _ in dials)


def _grid(
    dials: Sequence[Dial], seed: int, bracket: int, judged: Sequence[float | None]
) -> Iterator[tuple[float, ...]]:
    yield from itertools.product(*([(i + 0.5) / dial.values for i in range(dial.values)] for dial in dials))


def _optuna(
    dials: Sequence[Dial], seed: int, bracket: int, judged: Sequence[float | None]
) -> Iterator[tuple[float, ...]]:
    """Optuna's TPE, by ask and tell: each setting is asked for once all before it are judged."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=(seed + bracket) % 2**32))
    for error in itertools.chain(judged, [None]):
        trial = study.ask()
        yield tuple(
            (trial.suggest_categorical(dial.path, list(range(dial.values))) + 0.5) / dial.values
            if dial.values
            else trial.suggest_float(dial.path, 0.0, 1.0 - 1e-9)
            for dial in dials
        )
        if error is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, error)


class _Samplers(dict[str, Sampler]):
    def check(self, name: str, dials: Sequence[Dial]) -> None:
        """Whether settings can be drawn so.

        Raises:
            SpecError: there is no such way, a package is missing, or a field has no values.
        """
        entry = look_up(self, name, "sampler", "sampler")
        if entry.needs and find_spec(entry.needs) is None:
            raise SpecError("sampler", f"{entry.title} is not installed here: pip install {entry.needs}.")
        for i, dial in enumerate(dials):
            if entry.only_values and not dial.values:
                raise SpecError(f"fields[{i}].values", f"a {name} needs values for every field.")


SAMPLERS = _Samplers(
    {
        entry.name: entry
        for entry in (
            Sampler(
                name="random",
                title="At random",
                help="Each value is drawn by itself, so that a field that matters is tried at many values.",
                source="Bergstra & Bengio 2012, JMLR 13",
                shares=_random,
            ),
            Sampler(
                name="grid",
                title="All combinations",
                help="Every value with every other.",
                source="",
                shares=_grid,
                only_values=True,
            ),
            Sampler(
                name="optuna",
                title="Optuna",
                help="Draws where settings were good before (TPE), each after a look at all before it.",
                source="Akiba et al. 2019, arXiv 1907.10902; Bergstra et al. 2011",
                shares=_optuna,
                needs="optuna",
            ),
        )
    }
)
