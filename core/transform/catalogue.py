"""The transforms: each makes a network of trained ones.

A new one is an entry here, a function in `core.transform.steps`, and a test.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.catalogue import Choice, Entry, Number
from core.regularise.compressing import QUANTISED, TAUGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform(Entry):
    """A transform.

    Args:
        makes: the path of its function: of `Sources` and its parameters a `Network`, see
            `core.transform.network`.
        chooses: the path of its `core.transform.choices.Choices`: whether its parameters go together, how
            they are said, and what further training holds up.
        fewest, most: of how many networks one is made.
        epochs: of further training that a form begins with.
        student: its network is another one than its sources', with a spec of its own.
    """

    makes: str
    chooses: str
    fewest: int = 1
    most: int = 1
    epochs: int = 0
    student: bool = False


_SHARE = Number(
    "share",
    0.9,
    0.0,
    0.999,
    "How much goes: a share of the weights, of each layer's units, or of the blocks.",
    step=0.01,
)

TRANSFORMS: dict[str, Transform] = {
    entry.name: entry
    for entry in (
        Transform(
            name="prune",
            title="Prune",
            help="Takes out what matters least. Single weights become exactly zero, and stay so while the "
            "rest is trained on. Whole units (filters, neurons, heads, recurrent units) are taken out.",
            source="Han et al. 2015, arXiv 1506.02626; Zhu & Gupta 2017, arXiv 1710.01878; Frankle & Carbin "
            "2019, arXiv 1803.03635; Frankle et al. 2019, arXiv 1903.01611; Liu et al. 2019, arXiv "
            "1810.05270",
            parameters=(
                Choice(
                    "what",
                    "weights",
                    ("weights", "units", "blocks"),
                    "Single weights, whole units, or an attention network's blocks.",
                ),
                _SHARE,
                Choice(
                    "by",
                    "magnitude",
                    ("magnitude", "gradient", "random"),
                    "What says how much one matters: its size (of a unit, that of what leads to it times "
                    "that of what leads away), its size times its gradient on training images, or chance, "
                    "which is the control.",
                ),
                Choice(
                    "threshold",
                    "network",
                    ("network", "layer"),
                    "All layers are compared together, or each loses the same share.",
                ),
                Choice(
                    "when",
                    "at once",
                    ("at once", "step by step"),
                    "All before any further training, or along a cubic while it goes on. Weights by "
                    "magnitude only.",
                ),
                Choice(
                    "start",
                    "as they are",
                    ("as they are", "rewound", "drawn anew"),
                    "From which values what is left is trained on: those it has, those that the run began "
                    "with or had early on (the lottery ticket), or new ones, which is its control.",
                ),
                Number(
                    "rewind_epochs",
                    0,
                    0,
                    100,
                    "Rewound to after so many epochs of its run, which are trained once more; 0: its start.",
                    unit="epochs",
                    integer=True,
                ),
            ),
            makes="core.transform.steps.prune:prune",
            chooses="core.transform.choices:Pruning",
            epochs=3,
        ),
        Transform(
            name="shrink",
            title="Shrink",
            help="Takes out what is zero already, without a trace: units that hear nothing, or that nobody "
            "listens to. The answers stay the same.",
            source="Wen et al. 2016, arXiv 1608.03665",
            makes="core.transform.steps.shrink:shrunk",
            chooses="core.transform.choices:Shrinking",
        ),
        Transform(
            name="quantise",
            title="Quantise",
            help="Gives every weight few bits: whole numbers with a scale. Trained on, the network learns to "
            "live with them.",
            source="Jacob et al. 2018, arXiv 1712.05877; Krishnamoorthi 2018, arXiv 1806.08342; Bengio et "
            "al. 2013, arXiv 1308.3432",
            parameters=(
                *QUANTISED,
                Number(
                    "activations",
                    0,
                    0,
                    8,
                    "Bits of what each dense or convolutional layer hears, on the range that 512 training "
                    "images have, which ends as the weights' grid does; 0: it stays as it is. States of "
                    "recurrent layers, norms and the attention maps stay so, too.",
                    unit="bits",
                    integer=True,
                ),
            ),
            makes="core.transform.steps.quantise:quantise",
            chooses="core.transform.choices:Quantising",
        ),
        Transform(
            name="merge",
            title="Merge",
            help="Makes one network of several of the same architecture: the mean of their weights. Dense "
            "and convolutional networks that were trained apart can be put into one order first; recurrent "
            "and attention networks hardly.",
            source="Ainsworth et al. 2023, arXiv 2209.04836; Wortsman et al. 2022, arXiv 2203.05482",
            parameters=(
                Choice(
                    "method",
                    "matched",
                    ("matched", "as they are", "greedy"),
                    "Units are put into the order in which they fit best first; or not, which goes well for "
                    "branches of one run; or networks are taken in one by one, the best first, as long as "
                    "that helps on the validation images.",
                ),
            ),
            makes="core.transform.steps.merge:merge",
            chooses="core.transform.choices:Merging",
            fewest=2,
            most=8,
        ),
        Transform(
            name="distil",
            title="Distil",
            help="Trains a student, of any architecture, towards what trained teachers answer, and not "
            "towards labels alone: how sure they are of each class tells more than which is right.",
            source="Hinton, Vinyals & Dean 2015, arXiv 1503.02531",
            parameters=TAUGHT,
            makes="core.transform.steps.distil:student",
            chooses="core.transform.choices:Teaching",
            most=8,
            epochs=10,
            student=True,
        ),
    )
}
