"""Regularisers: penalties, proximal steps and decay, and how sparse they leave a network."""

from core.regularise.catalogue import CATALOGUE, SOLVERS, RegulariserEntry
from core.regularise.check import check
from core.regularise.metric import step_sizes
from core.regularise.regularisation import Regularisation, strength_at
from core.regularise.shrinkage import elastic_net_, soft_threshold_
from core.regularise.sparsity import NEAR, sparsity
from core.regularise.term import Term
from core.regularise.weights import regularised_weights

__all__ = [
    "CATALOGUE",
    "NEAR",
    "SOLVERS",
    "Regularisation",
    "RegulariserEntry",
    "Term",
    "check",
    "elastic_net_",
    "regularised_weights",
    "soft_threshold_",
    "sparsity",
    "step_sizes",
    "strength_at",
]
