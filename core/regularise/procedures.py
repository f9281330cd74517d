"""Regularisers that act on the training itself: smoothed labels, an early end, averaged weights."""

from __future__ import annotations

import math
from typing import Any

from core.catalogue import Choice, Flag, Number
from core.regularise.entry import RegulariserEntry
from core.run.spec import RegulariserSpec


def smallest_loss(smoothing: float, num_classes: int) -> float:
    """The cross-entropy in nats that the best possible network has against smoothed labels: their entropy."""
    other = smoothing / num_classes
    shares = [1 - smoothing + other, *[other] * (num_classes - 1)]
    return -sum(share * math.log(share) for share in shares if share)


def _smoothing_note(spec: RegulariserSpec, num_classes: int, epochs: int) -> str:
    assert spec.strength is not None
    return (
        "The training loss is taken against smoothed labels, where it can't fall below "
        f"{smallest_loss(spec.strength, num_classes):.3f}; the validation loss against plain ones."
    )


def _ema_note(spec: RegulariserSpec, num_classes: int, epochs: int) -> str:
    return "What is evaluated, measured and saved is the running mean of the weights."


def _swa_note(spec: RegulariserSpec, num_classes: int, epochs: int) -> str:
    start: Any = spec.params["start"]
    first = next(epoch for epoch in range(1, epochs + 1) if epoch / epochs >= start)
    return (
        f"From epoch {first} on, what is evaluated, measured and saved is the mean of the weights at the "
        "ends of epochs."
    )


PROCEDURES: tuple[RegulariserEntry, ...] = (
    RegulariserEntry(
        name="label_smoothing",
        title="Label smoothing",
        help="Trains towards labels that are a little unsure: ε of each is shared out among all classes.",
        source="Szegedy et al. 2015, arXiv 1512.00567, section 7",
        formula=r"y_k \leftarrow (1 - \varepsilon)\, y_k + \tfrac{\varepsilon}{K}",
        effect="The loss no longer falls with ever greater certainty, so the weights of the last layers stop "
        "growing; none becomes zero.",
        default_strength=0.1,
        strength_low=1e-3,
        strength_high=0.5,
        strength_max=0.5,
        symbol="ε",
        strength_help="The share of each label that is spread evenly over all classes.",
        on_weights=False,
        note=_smoothing_note,
        makes="core.regularise.label_smoothing:LabelSmoothing",
    ),
    RegulariserEntry(
        name="early_stopping",
        title="Early stopping",
        help="Ends the run when validation has not improved for a number of epochs in a row. In the formula "
        "a is the accuracy, or minus the loss; a* its value at the last improvement by more than δ; p the "
        "patience; t this epoch.",
        source="Prechelt 1998, Early stopping - but when?",
        parameters=(
            Choice("monitor", "accuracy", ("accuracy", "loss"), "What is watched on the validation images."),
            Number(
                "patience",
                5,
                1,
                100,
                "After how many epochs in a row without improvement the run ends.",
                "epochs",
                1,
                True,
            ),
            Number(
                "min_delta",
                0.0,
                0.0,
                5.0,
                "An improvement is more than this: percentage points of accuracy, or so much of the loss.",
                step=0.05,
            ),
            Flag("restore_best", True, "Keep the weights of the best epoch, not those of the last."),
        ),
        formula=r"\text{stop if } a_s \le a^* + \delta,\; t - p < s \le t",
        effect="Weights grow as training goes on; they are left where they were when growing further "
        "stopped helping on new images.",
        makes="core.regularise.early_stopping:EarlyStopping",
        ends_runs=True,
    ),
    RegulariserEntry(
        name="ema",
        title="Weight averaging (EMA)",
        help="Evaluates and saves a running mean of the weights, in which recent steps count most.",
        source="Polyak & Juditsky 1992; start corrected as in Adam, Kingma & Ba 2014, arXiv 1412.6980",
        parameters=(
            Number(
                "decay",
                0.99,
                0.9,
                0.9999,
                "How long the mean remembers: about 1 / (1 − decay) steps.",
                step=0.0001,
            ),
        ),
        formula=r"\bar w_t = \frac{\sum_{s \le t} d^{\,t - s}\, w_s}{\sum_{s \le t} d^{\,t - s}}",
        effect="Each weight becomes a mean of its last values, so the jitter of single steps cancels out; "
        "it is exactly zero only where every one of them was.",
        averages=True,
        note=_ema_note,
        makes="core.regularise.averaging:ExponentialAverage",
    ),
    RegulariserEntry(
        name="swa",
        title="Weight averaging (SWA)",
        help="Evaluates and saves the mean of the weights at the ends of the last epochs; it gains most "
        "with a learning rate that stays up.",
        source="Izmailov et al. 2018, arXiv 1803.05407",
        parameters=(
            Number(
                "start",
                0.75,
                0.0,
                0.95,
                "The share of the epochs after which the weights are first taken into the mean.",
                step=0.05,
            ),
        ),
        formula=r"\bar w = \frac{1}{n} \sum_{i=1}^{n} w_i, \quad w_i \text{: at the end of the } i"
        r"\text{-th of } n \text{ epochs}",
        effect="Each weight becomes a mean of its values at the ends of epochs, in the middle of the flat "
        "region they wander in; it is exactly zero only where every one of them was.",
        averages=True,
        note=_swa_note,
        makes="core.regularise.averaging:StochasticWeightAverage",
    ),
)
