"""Regularisers: penalties, proximal steps and decay, and how sparse they leave a network."""

from core.regularise.advice import advise
from core.regularise.catalogue import CATALOGUE, SOLVERS, RegulariserEntry
from core.regularise.check import check
from core.regularise.groups import Groups, weight_groups
from core.regularise.histogram import EDGES, histogram, share_below
from core.regularise.measures import MEASURES, MeasureEntry
from core.regularise.measuring import Gauge
from core.regularise.metric import step_sizes
from core.regularise.pruning import prunable
from core.regularise.regularisation import Regularisation, strength_at
from core.regularise.shrinkage import elastic_net_, soft_threshold_
from core.regularise.sparsity import NEAR, share_within, sparsity
from core.regularise.term import Term
from core.regularise.weights import regularised_weights

__all__ = [
    "CATALOGUE",
    "EDGES",
    "MEASURES",
    "NEAR",
    "SOLVERS",
    "Gauge",
    "Groups",
    "MeasureEntry",
    "Regularisation",
    "RegulariserEntry",
    "Term",
    "advise",
    "check",
    "elastic_net_",
    "histogram",
    "prunable",
    "regularised_weights",
    "share_below",
    "share_within",
    "soft_threshold_",
    "sparsity",
    "step_sizes",
    "strength_at",
    "weight_groups",
]
