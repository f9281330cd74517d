"""The regularisers of a spec, checked against the catalogue and completed from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.catalogue import completed_params, look_up
from core.regularise.catalogue import REGULARISERS
from core.run.errors import SpecError
from core.run.spec import RegulariserSpec


def completed_regularisers(specs: Sequence[RegulariserSpec]) -> tuple[RegulariserSpec, ...]:
    """``specs`` with strength, solver and parameters filled in.

    Raises:
        SpecError: a kind or parameter is unknown, a value is out of bounds, a kind has no such solver or
            no strength, or two regularisers do not go together.
    """
    checked = tuple(_check(spec, f"regularisers[{i}]") for i, spec in enumerate(specs))
    _check_together(checked)
    return checked


def _check_together(specs: Sequence[RegulariserSpec]) -> None:
    kinds = [spec.kind for spec in specs]
    averages = [kind for kind in kinds if REGULARISERS[kind].averages]
    gates = [kind for kind in kinds if REGULARISERS[kind].gates]
    for i, spec in enumerate(specs):
        if spec.kind in kinds[:i]:
            raise SpecError(
                f"regularisers[{i}].kind",
                f"{spec.kind} is there twice, and charts and dials go by its name; keep one of them"
                + (", and add up the strengths." if spec.strength is not None else "."),
            )
        if spec.kind in averages[1:]:
            raise SpecError(
                f"regularisers[{i}].kind",
                f"{averages[0]} and {spec.kind} both say of which weights the mean is kept; "
                "leave one of the two out.",
            )
        if REGULARISERS[spec.kind].sets and gates:
            raise SpecError(
                f"regularisers[{i}].kind",
                f"{gates[0]} gates the weights, and {spec.kind} would set those beneath; leave one of the "
                "two out.",
            )
        if spec.solver == "proximal" and gates:
            raise SpecError(
                f"regularisers[{i}].solver",
                f"{gates[0]} gates the weights, and a proximal step would shrink those beneath the gates, "
                f"which no term of the objective counts; solve {spec.kind} by penalty, or leave one of the "
                "two out.",
            )


def _check(spec: RegulariserSpec, where: str) -> RegulariserSpec:
    entry = look_up(REGULARISERS, spec.kind, f"{where}.kind", "regulariser")
    if spec.solver is not None and spec.solver not in entry.solvers:
        offer = f"it may be {' or '.join(entry.solvers)}" if entry.solvers else "it has none; leave it null"
        raise SpecError(f"{where}.solver", f"{entry.name} has no solver {spec.solver!r}; {offer}.")
    if entry.default_strength is None and (spec.strength is not None or spec.warmup_epochs):
        field = "strength" if spec.strength is not None else "warmup_epochs"
        instead = f"; set {entry.parameters[0].name} instead" if entry.parameters else ""
        raise SpecError(f"{where}.{field}", f"{entry.name} has no strength{instead}. Leave this out.")
    completed: dict[str, Any] = {"params": completed_params(entry, spec.params, f"{where}.params")}
    if spec.strength is not None and spec.strength > entry.strength_max:
        raise SpecError(
            f"{where}.strength",
            f"{spec.strength:g} is above the largest allowed for {entry.name}, {entry.strength_max:g}.",
        )
    if spec.strength is None:
        completed["strength"] = entry.default_strength
    if spec.solver is None and entry.solvers:
        completed["solver"] = entry.solvers[0]
    spec = spec.model_copy(update=completed)
    _check_release(spec, where)
    return spec


def _check_release(spec: RegulariserSpec, where: str) -> None:
    if not spec.release_epochs:
        if spec.release_rate != 1:
            raise SpecError(
                f"{where}.release_rate",
                "it multiplies the learning rate after the release, and there is none. Give release_epochs, "
                "or leave this out.",
            )
        return
    if not REGULARISERS[spec.kind].releases or spec.solver != "proximal":
        able = " or ".join(entry.name for entry in REGULARISERS.values() if entry.releases)
        raise SpecError(
            f"{where}.release_epochs",
            f"{spec.kind} by {spec.solver or 'its own step'} makes no zeros that could be held. Release "
            f"{able}, solved by proximal, or leave this out.",
        )
    if spec.release_epochs <= spec.warmup_epochs:
        raise SpecError(
            f"{where}.release_epochs",
            f"λ rises over {spec.warmup_epochs} epochs, and would be released after {spec.release_epochs}. "
            "Release it later, or let it rise faster.",
        )
