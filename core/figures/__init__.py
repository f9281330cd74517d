"""Events and catalogues in, Plotly figures out: plain dictionaries, ready to be JSON."""

from core.figures.parts import (
    BATCH,
    LAYERS,
    NEUTRAL,
    PENALTIES,
    PENALTY,
    SPARSITY,
    TRAIN,
    VALIDATION,
    Figure,
    plain_layout,
)
from core.figures.shrinkage import Pull, after_the_run, near_zero, pull, shrinkage_curves
from core.figures.sparsity import groups_in_words, has_groups, sparsity_by_layer, sparsity_map, zero_groups
from core.figures.tables import epochs_csv, parameters_by_layer
from core.figures.training import accuracy, loss

__all__ = [
    "BATCH",
    "LAYERS",
    "NEUTRAL",
    "PENALTIES",
    "PENALTY",
    "SPARSITY",
    "TRAIN",
    "VALIDATION",
    "Figure",
    "Pull",
    "accuracy",
    "after_the_run",
    "epochs_csv",
    "groups_in_words",
    "has_groups",
    "loss",
    "near_zero",
    "parameters_by_layer",
    "plain_layout",
    "pull",
    "shrinkage_curves",
    "sparsity_by_layer",
    "sparsity_map",
    "zero_groups",
]
