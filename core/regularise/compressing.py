"""What makes a network cheaper while it trains: the smallest weights go, zeros are held, weights have few
bits."""

from __future__ import annotations

from core.catalogue import Choice, Flag, Number
from core.regularise.entry import RegulariserEntry

QUANTISED = (
    Number("bits", 4, 2, 8, "Bits of a weight.", unit="bits", integer=True),
    Choice("by", "channel", ("channel", "tensor"), "A scale for each output channel, or one for a layer."),
    Flag("symmetric", True, "As many steps below 0 as above; otherwise from the smallest to the largest."),
    Choice(
        "ends_at",
        "largest",
        ("largest", "nearest"),
        "Where a grid ends: at the largest weight, or where the weights change least, in squares.",
    ),
)

HOLDING: tuple[RegulariserEntry, ...] = (
    RegulariserEntry(
        name="pruning",
        title="Magnitude pruning",
        help="The smallest weights go, by decree: at first many, then ever fewer, until a share of them is "
        "zero. What has gone stays away, whatever the optimiser's momentum.",
        source="Han et al. 2015, arXiv 1506.02626; Zhu & Gupta 2017, arXiv 1710.01878, eq. 1",
        parameters=(
            Choice(
                "threshold",
                "network",
                ("network", "layer"),
                "One for all layers together, or one for each, which then loses the same share.",
            ),
        ),
        formula=r"w_i \leftarrow 0 \text{ if } |w_i| \text{ is among the smallest } s",
        effect="The smallest weights are set to exactly zero and stay so; the others do not shrink.",
        default_strength=0.9,
        strength_low=0.1,
        strength_high=0.999,
        strength_max=0.999,
        symbol="s",
        rises="cubic",
        strength_help="The share of all weights that is zero in the end. It rises over the run by its "
        "schedule; a cubic rise is the paper's.",
        makes="core.regularise.zeros:Pruning",
        sets=True,
    ),
    RegulariserEntry(
        name="hold_zeros",
        title="Zeros that are held",
        help="What is exactly zero when training begins stays zero: for a network that was pruned before.",
        source="Han et al. 2015, arXiv 1506.02626",
        formula=r"w_i \leftarrow 0 \text{ if it was } 0 \text{ at the start}",
        effect="Weights that were zero stay zero, whatever the optimiser's momentum; the others are free.",
        makes="core.regularise.zeros:HoldZeros",
        sets=True,
    ),
)

TAUGHT = (
    Number(
        "temperature",
        4.0,
        1.0,
        20.0,
        "Divides the logits of both before they are compared: the higher, the softer.",
        step=0.5,
    ),
    Number("alpha", 0.9, 0.0, 1.0, "How much the teachers count; the labels count the rest.", step=0.05),
)

TEACHING: tuple[RegulariserEntry, ...] = (
    RegulariserEntry(
        name="distillation",
        title="Distillation",
        help="Learns what trained networks answer, and not from the labels alone: how sure those are of each "
        "class tells more than which is right.",
        source="Hinton, Vinyals & Dean 2015, arXiv 1503.02531",
        parameters=TAUGHT,
        formula=r"(1 - \alpha)\, \mathrm{CE} + \alpha T^2\, \mathrm{KL}(p^T_{\text{teacher}} \,\Vert\, p^T)",
        effect="The logits of wrong classes are learned, too, which keeps the weights of the last layers "
        "smaller than labels alone; none becomes zero.",
        on_weights=False,
        makes="core.regularise.distillation:Distillation",
        taught=True,
    ),
)

QUANTISING: tuple[RegulariserEntry, ...] = (
    RegulariserEntry(
        name="quantisation",
        title="Quantised weights",
        help="Trains the network with weights of a few bits, so that it learns to live with them. Biases and "
        "norm layers keep their 32.",
        source="Bengio et al. 2013, arXiv 1308.3432; Courbariaux et al. 2015, arXiv 1511.00363; Jacob et al. "
        "2018, arXiv 1712.05877",
        parameters=QUANTISED,
        formula=r"\hat w = s \cdot \mathrm{round}(w / s), \quad "
        r"\tfrac{\partial L}{\partial w} \approx \tfrac{\partial L}{\partial \hat w}",
        effect="Every weight lies on a grid of a few values when the network is used; small ones are "
        "rounded to exactly zero.",
        makes="core.regularise.quantisation:Quantisation",
        sets=True,
    ),
)
