"""Whether a run that came to its end has learnt anything."""

from __future__ import annotations

import math

from torch import Tensor

from core.run.events import Event
from core.run.spec import OptimiserSpec

WILD = 10  # times the loss of guessing, which a network that has merely not learnt yet is near
ERRORS = 2  # standard errors of an accuracy: what is closer to chance may be chance


def warnings(labels: Tensor, classes: int, optimiser: OptimiserSpec, last: Event) -> list[str]:
    """What is wrong if the network is no better than chance or its loss is wild: a sentence, or none.

    Args:
        labels: of the validation images, of so many ``classes``.
        optimiser: completed.
        last: the last ``epoch`` event.
    """
    assert optimiser.lr is not None
    chance = _chance(labels, last["validation_accuracy"])
    loss = _loss(classes, last)
    if not chance and not loss:
        return []
    lower = f"try a lower learning rate, such as {optimiser.lr / 10:.3g} instead of {optimiser.lr:g}."
    advice = lower if loss else "try another learning rate, a weaker regulariser, or more epochs."
    return ["After the last epoch " + "; ".join(filter(None, [chance, loss, advice]))]


def _chance(labels: Tensor, accuracy: float) -> str:
    """Compared with the best constant guess, and how far an accuracy on so few images strays by chance."""
    share = int(labels.bincount().max()) / len(labels)
    bound = share + ERRORS * math.sqrt(share * (1 - share) / len(labels))
    if accuracy > bound or bound >= 1:
        return ""
    return (
        f"the network can't be told from chance: it names {100 * accuracy:.1f} % of the {len(labels):,} "
        f"validation images correctly, where always naming the largest class gives {100 * share:.1f} %"
    )


def _loss(classes: int, last: Event) -> str:
    losses = {"training": last["train_loss"], "validation": last["validation_loss"]}
    name = max(losses, key=lambda name: losses[name])
    if losses[name] <= WILD * math.log(classes):
        return ""
    return (
        f"the {name} loss is {losses[name]:.3g}, where guessing gives ln({classes}) = {math.log(classes):.1f}"
    )
