"""Regularisers that act on the training itself: smoothed labels, an early end, averaged weights."""

from __future__ import annotations

from core.catalogue import Choice, Flag, Number
from core.regularise.averaging import ExponentialAverage, StochasticWeightAverage
from core.regularise.early_stopping import EarlyStopping
from core.regularise.entry import RegulariserEntry
from core.regularise.label_smoothing import LabelSmoothing

PROCEDURES: tuple[RegulariserEntry, ...] = (
    RegulariserEntry(
        name="label_smoothing",
        title="Label smoothing",
        help="Trains towards labels that are a little unsure: ε of each is shared out among all classes.",
        source="Szegedy et al. 2015, arXiv 1512.00567, section 7",
        formula=r"y_k \leftarrow (1 - \varepsilon)\, y_k + \tfrac{\varepsilon}{K}",
        effect="The loss no longer asks for endless certainty, so the weights of the last layers stop "
        "growing; none becomes zero.",
        default_strength=0.1,
        strength_low=1e-3,
        strength_high=0.5,
        strength_max=0.5,
        term=LabelSmoothing,
    ),
    RegulariserEntry(
        name="early_stopping",
        title="Early stopping",
        help="Ends the run when validation has not become better for a number of epochs in a row: a is "
        "accuracy, or minus the loss; a* the last that was better, by more than δ; p patience; t this epoch.",
        source="Prechelt 1998, Early stopping - but when?",
        parameters=(
            Choice("monitor", "accuracy", ("accuracy", "loss"), "What is watched on the validation images."),
            Number(
                "patience", 5, 1, 100, "How many epochs in a row may pass without better.", "epochs", 1, True
            ),
            Number(
                "min_delta",
                0.0,
                0.0,
                5.0,
                "Better means by more than this: percentage points of accuracy, or nats of loss.",
                step=0.05,
            ),
            Flag("restore_best", True, "Keep the weights of the best epoch, not those of the last."),
        ),
        formula=r"\text{stop if } a_s \le a^* + \delta,\; t - p < s \le t",
        effect="Weights grow as training goes on; they are left where they were when growing further "
        "stopped helping on new images.",
        term=EarlyStopping,
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
        term=ExponentialAverage,
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
                "The share of the epochs after which the first weights are taken in.",
                step=0.05,
            ),
        ),
        formula=r"\bar w = \frac{1}{n} \sum_{i=1}^{n} w_i, \quad w_i \text{: at the end of the } i"
        r"\text{-th of } n \text{ epochs}",
        effect="Each weight becomes a mean of its values at the ends of epochs, in the middle of the flat "
        "region they wander in; it is exactly zero only where every one of them was.",
        term=StochasticWeightAverage,
    ),
)
