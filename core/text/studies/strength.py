"""Which λ, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text.shares import counted, percent
from core.text.studies.early import all_folds, early, last_run

OVERFITS = 0.02  # train accuracy so far above: what the smallest λ leaves is learned by heart
BEYOND = "that was tried, so a better one may lie beyond: extend the grid."
EMPTIED = 0.5  # of the weights
UNDERFITS = 0.05  # below the best: what the largest λ takes is missed


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The answer; empty: nothing is known yet."""
    if not result:
        return []
    grid, lowest, simplest = result["grid"], result["lambda_min"], result["lambda_1se"]
    at_lowest, at_simplest = grid.index(lowest), grid.index(simplest)
    n = f"n = {result['folds']} folds"
    said = []
    if result["complete"]:
        said.append(
            f"**Take λ = {_point(simplest)}**: the largest that is as good as the best within one standard "
            "error "
            f"({_figure(result, at_simplest)}, {percent(result['zeros'][at_simplest])} of the weights are "
            "zero)."
            if simplest != lowest
            else f"**Take λ = {_point(lowest)}**: no larger one is as good within one standard error "
            f"({_figure(result, at_lowest)}, {percent(result['zeros'][at_lowest])} of the weights are zero)."
        )
        said.append(
            f"The least {result['figure']} has λ = {_point(lowest)}: {_figure(result, at_lowest)} "
            f"(mean ± standard error, {n}, the same folds and seeds for each λ)."
        )
        said += _how_sure(result)
    else:
        known = len(grid)
        said.append(f"So far {known} values of λ are known on all folds; λ = {_point(lowest)} leads ({n}).")
    said += _edge(result) + _ends(result)
    if result["failed"]:
        failed = ", ".join(_point(each) for each in result["failed"])
        said.append(f"At λ = {failed} a run failed, so it can't be chosen.")
    if test := result.get("test"):
        images = test["images"]
        n_images = f" ({counted(test['accuracy'], images)})" if images else ""
        said.append(
            f"Trained again{last_run(test)} on {all_folds(result)} with λ = {_point(test['lambda'])}, it "
            f"answers {percent(test['accuracy'])} of the images right that nothing chose by{n_images}."
        )
        if test["looks"] > 1:
            said.append(
                f"That part has been looked at {test['looks']} times: chosen by it, the figure would be too "
                "good."
            )
    return said + early(result)


def _point(value: float | list[float]) -> str:
    return " and ".join(f"{each:g}" for each in value) if isinstance(value, list) else f"{value:g}"


def _figure(result: Mapping[str, Any], i: int) -> str:
    spread = result["standard_error"][i]
    if result["figure"] == "loss":
        return f"loss {result['mean'][i]:.3f} ± {spread:.3f}"
    return f"accuracy {100 * (1 - result['mean'][i]):.1f} ± {100 * spread:.1f} %"


def _how_sure(result: Mapping[str, Any]) -> list[str]:
    """Which others may be as good; a result of an older release does not say."""
    others = len(result["grid"]) - 1
    if "alike" not in result or not others:
        return []
    alike = result["alike"]
    how = f"95 % intervals of paired differences, each alone, n = {result['folds']} folds"
    if not alike:
        return [f"How sure? Every other λ is worse than that one, fold by fold ({how})."]
    named = ", ".join(_point(each) for each in alike)
    rest = "the others are worse" if len(alike) < others else "more folds or images would be needed"
    return [f"How sure? λ = {named} can't be told from it, fold by fold ({how}); {rest}."]


def _edge(result: Mapping[str, Any]) -> list[str]:
    if not isinstance(result["edge"], list):
        edge = result["edge"]
        return [f"The best lies at the {edge} λ {BEYOND}"] if edge else []
    names = zip(result["edge"], result["names"], strict=True)
    return [f"The best lies at the {edge} λ of {name} {BEYOND}" for edge, name in names if edge]


def _ends(result: Mapping[str, Any]) -> list[str]:
    """What goes wrong at the two ends of one λ's grid."""
    if not result["grid"] or isinstance(result["grid"][0], list) or len(result["grid"]) < 3:
        return []
    accuracy, train = result["accuracy"], result["train_accuracy"]
    said = []
    if train[0] - accuracy[0] > OVERFITS:
        said.append(
            f"With the smallest λ it overfits: {percent(train[0])} of the images it was trained on, "
            f"{percent(accuracy[0])} of others."
        )
    if max(accuracy) - accuracy[-1] > UNDERFITS and train[-1] < max(train):
        said.append(
            f"With the largest it underfits: {percent(train[-1])} and {percent(accuracy[-1])}{_why(result)}."
        )
    return said


def _why(result: Mapping[str, Any]) -> str:
    """Only where the network was emptied: not every kind makes zeros."""
    zeros = result["zeros"][-1]
    return f", for {percent(zeros)} of its weights are zero" if zeros > EMPTIED else ""
