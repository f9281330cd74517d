"""The regularisers: what each does to weights, its formula, its bounds, its source.

A new one is an entry here, a small module with its `Regulariser`, and a test. "No regulariser" is an empty
list in a spec, not an entry; dropout belongs to the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.catalogue import Choice, Number
from core.regularise.compressing import HOLDING, QUANTISING, TEACHING
from core.regularise.entry import RegulariserEntry
from core.regularise.gradients import GRADIENTS
from core.regularise.procedures import PROCEDURES
from core.run.spec import RegulariserSpec

SOLVERS: dict[str, str] = {
    "proximal": (
        "After each optimiser step the penalty's proximal operator is applied (ProxGen, arXiv 2007.07484): a "
        "weight too weak to pay for itself becomes 0.0, and stays there until the gradient, which the "
        "optimiser averages over one batch or the last few, pulls harder than λ. A whole neuron at zero, "
        "with its bias, gets no gradient through a ReLU and stays. Compare exact zeros "
        "among runs of one optimiser and one batch size."
    ),
    "penalty": "The penalty is added to the loss and followed by its gradient, as most code does it.",
}

_HOPS = (
    "right up to 0, so a step of fixed size hops over 0 and back again: weights end in a narrow band around "
    "it, but never exactly at 0.0."
)


def _all_l1(params: Mapping[str, Any]) -> float:
    return 1.0


def _no_l1(params: Mapping[str, Any]) -> float:
    return 0.0


def _l1_ratio(params: Mapping[str, Any]) -> float:
    return float(params["l1_ratio"])


REGULARISERS: dict[str, RegulariserEntry] = {
    entry.name: entry
    for entry in (  # They act in this order; see `Regularisation`.
        RegulariserEntry(
            name="l1",
            title="L1 (lasso)",
            help="Pulls every weight to zero with the same force, so that only the useful ones stay.",
            source="Tibshirani 1996; proximal step: Yun, Lozano & Yang 2021, arXiv 2007.07484",
            formula=r"\lambda \lVert w \rVert_1",
            effect="Every weight is pulled to zero with the same force, whatever its size: small ones "
            "become exactly zero, large ones are a little smaller.",
            penalty_effect="Every weight is pulled to zero with the same force, whatever its size: small "
            "ones end up close to zero, large ones are a little smaller.",
            solvers=("proximal", "penalty"),
            default_strength=1e-4,
            strength_low=1e-6,
            strength_high=1e-1,
            penalty_note=f"The slope of |w| is +λ or −λ {_HOPS}",
            makes="core.regularise.l1:L1",
            releases=True,
            l1_share=_all_l1,
        ),
        RegulariserEntry(
            name="elastic_net",
            title="Elastic net",
            help="A mixture of L1 and L2: sparse like L1, gentler among weights that do the same work.",
            source="Zou & Hastie 2005; proximal step: Yun, Lozano & Yang 2021, arXiv 2007.07484",
            parameters=(
                Number(
                    "l1_ratio",
                    0.5,
                    0.0,
                    1.0,
                    "The share of L1: 1 is L1 alone, 0 is L2 alone.",
                    step=0.05,
                ),
            ),
            formula=r"\lambda \left( a \lVert w \rVert_1 + \tfrac{1 - a}{2} \lVert w \rVert_2^2 \right)",
            effect="The share of L1 makes small weights exactly zero; that of L2 pulls all, in proportion to "
            "their size.",
            penalty_effect="The share of L1 pulls small weights close to zero; that of L2 pulls all, in "
            "proportion to their size.",
            solvers=("proximal", "penalty"),
            default_strength=1e-4,
            strength_low=1e-6,
            strength_high=1e-1,
            penalty_note=f"The slope of the L1 share, a, is +aλ or −aλ {_HOPS}",
            makes="core.regularise.elastic_net:ElasticNet",
            releases=True,
            l1_share=_l1_ratio,
        ),
        RegulariserEntry(
            name="group_lasso",
            title="Group lasso",
            help="Like L1, but all or nothing for whole filters, neurons and attention heads, so that what "
            "is zero can be taken out, except units of a recurrent layer and neurons that write into an "
            "attention network's tokens. The last layer, whose neurons are the classes, has no groups.",
            source="Yuan & Lin 2006; for networks, Wen et al. 2016, arXiv 1608.03665; proximal step: "
            "Deleu & Bengio 2021, arXiv 2102.03869",
            formula=r"\lambda \sum_g \sqrt{n_g}\, \lVert w_g \rVert_2",
            effect="All weights of a filter, a neuron or a head shrink together; a group too weak to pay "
            "for itself becomes exactly zero as a whole, and the bias of a filter or neuron with it.",
            penalty_effect="All weights of a filter, a neuron or a head shrink together; a group too weak to "
            "pay for itself ends up close to zero as a whole.",
            solvers=("proximal", "penalty"),
            default_strength=1e-4,
            strength_low=1e-6,
            strength_high=1e-2,
            penalty_note="The slope of ‖w‖ has the same length right up to 0, so a step of fixed size hops "
            "over 0 and back again: groups end up small together, but never exactly at 0.0.",
            makes="core.regularise.group_lasso:GroupLasso",
            releases=True,
        ),
        RegulariserEntry(
            name="l2",
            title="L2 in the loss (ridge)",
            help="Adds λ/2 times the sum of the squared weights to the loss: λw joins the gradient, and what "
            "the optimiser does to the gradient it does to λw, too.",
            source="Hoerl & Kennard 1970; Krogh & Hertz 1991",
            formula=r"\tfrac{\lambda}{2} \lVert w \rVert_2^2",
            effect="Every weight is pulled in proportion to its size, and none to exactly zero, for the pull "
            "fades as a weight does. Adam and RMSprop divide it by the gradient's usual size, so that small "
            "weights may shrink as fast as large ones.",
            solvers=("penalty",),
            default_strength=1e-4,
            strength_low=1e-6,
            strength_high=1e-1,
            makes="core.regularise.l2:L2",
            l1_share=_no_l1,
        ),
        RegulariserEntry(
            name="orthogonality",
            title="Orthogonality (soft)",
            help="Asks the filters of a layer to be at right angles to each other and of length 1, so that "
            "no two look for the same.",
            source="Brock et al. 2016, arXiv 1609.07093; Bansal et al. 2018, arXiv 1810.09102",
            formula=r"\lambda \sum_\ell \lVert W_\ell W_\ell^\top - I \rVert_F^2",
            effect="The rows of each layer (of a tall one, the columns) are pushed apart until they are at "
            "right angles, and towards length 1: singular values gather around 1, and no weight is "
            "pulled to zero.",
            solvers=("penalty",),
            default_strength=1e-3,
            strength_low=1e-5,
            strength_high=1e-1,
            makes="core.regularise.orthogonality:Orthogonality",
        ),
        RegulariserEntry(
            name="weight_decay",
            title="Decoupled weight decay",
            help="Takes a share of every weight off at each step, beside the gradient; with momentum, and "
            "with Adam or RMSprop, that is not the same as L2 in the loss.",
            source="Loshchilov & Hutter 2017, arXiv 1711.05101",
            formula=r"w \leftarrow w - \eta \lambda w",
            effect="Every weight loses the same share of itself at each step, whatever its gradient: "
            "all shrink, and none to exactly zero.",
            solvers=(),
            default_strength=1e-2,
            strength_low=1e-4,
            strength_high=1.0,
            makes="core.regularise.weight_decay:WeightDecay",
            strength_help="The share of a weight that a step takes off is this times the learning rate.",
        ),
        RegulariserEntry(
            name="max_norm",
            title="Max-norm",
            help="A ceiling on how strongly a unit can listen: longer weight vectors are scaled back.",
            source="Srebro & Shraibman 2005; Srivastava et al. 2014, Dropout, section 5.1",
            parameters=(
                Number(
                    "c",
                    3.0,
                    0.01,
                    100.0,
                    "The largest length of a unit's incoming weights; papers take 3 or 4.",
                    scale="log",
                ),
            ),
            formula=r"\lVert w_j \rVert_2 \le c",
            effect="Units whose incoming weights are longer than c are scaled back to c after each step; "
            "all others are left alone, and none becomes zero.",
            makes="core.regularise.max_norm:MaxNorm",
        ),
        *GRADIENTS,  # before L0, which turns gradients into those of its gates first
        RegulariserEntry(
            name="l0",
            title="L0 (hard concrete gates)",
            help="Counts weights instead of measuring them: each has a gate that chance opens, and what is "
            "trained is how likely it opens. Works best with Adam.",
            source="Louizos, Welling & Kingma 2018, arXiv 1712.01312",
            parameters=(
                Choice(
                    "gates",
                    "groups",
                    ("groups", "weights"),
                    "A gate for each filter, neuron and attention head (fast; the last layer has none), or "
                    "for each single weight.",
                ),
            ),
            formula=r"\lambda\, \frac{1}{n} \sum_j \Pr[z_j \ne 0], \quad w = \theta \odot z",
            effect="Gates that are not worth their price shut, and the weights behind them are exactly "
            "zero; those that stay open do not shrink.",
            solvers=("penalty",),
            default_strength=1.0,
            strength_low=1e-2,
            strength_high=50.0,
            strength_help="What a network with all gates open adds to the loss.",
            makes="core.regularise.l0:L0",
            gates=True,
        ),
        *TEACHING,
        *PROCEDURES,
        *HOLDING,  # after all that moves weights; of a mean, too
        *QUANTISING,  # of a mean, too, and of what is left of it
    )
}


def passes(specs: Sequence[RegulariserSpec]) -> int:
    """How many times a step with these goes through the network, forward and backward."""
    return max((REGULARISERS[each.kind].passes for each in specs if each.kind in REGULARISERS), default=1)
