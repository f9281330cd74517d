"""Events and catalogues in, Plotly figures out: plain dictionaries, ready to be JSON."""

from core.figures.filters import FilterImage, filter_images, with_filters
from core.figures.measures import measure, measure_now, measured, why_no_prunable_share, why_not_thorough
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
    has_lambda,
    plain_layout,
)
from core.figures.runs import RunPoint, front, in_sight, out_of_sight, sparsity_and_accuracy
from core.figures.shrinkage import USUAL_GRADIENT, Pull, after_the_run, near_zero, pull, shrinkage_curves
from core.figures.sparsity import (
    groups_in_words,
    has_groups,
    removable,
    sparsity_by_layer,
    sparsity_map,
    zero_groups,
    zero_groups_elsewhere,
)
from core.figures.tables import epochs_csv, parameters_by_layer
from core.figures.training import accuracy, loss, schedule
from core.figures.weights import edges, has_histograms, near_zero_share, weight_ridge

__all__ = [
    "BATCH",
    "LAYERS",
    "NEUTRAL",
    "PENALTIES",
    "PENALTY",
    "SPARSITY",
    "TRAIN",
    "USUAL_GRADIENT",
    "VALIDATION",
    "Figure",
    "FilterImage",
    "Pull",
    "RunPoint",
    "accuracy",
    "after_the_run",
    "edges",
    "epochs_csv",
    "filter_images",
    "front",
    "groups_in_words",
    "has_groups",
    "has_histograms",
    "has_lambda",
    "in_sight",
    "loss",
    "measure",
    "measure_now",
    "measured",
    "near_zero",
    "near_zero_share",
    "out_of_sight",
    "parameters_by_layer",
    "plain_layout",
    "pull",
    "removable",
    "schedule",
    "shrinkage_curves",
    "sparsity_and_accuracy",
    "sparsity_by_layer",
    "sparsity_map",
    "weight_ridge",
    "why_no_prunable_share",
    "why_not_thorough",
    "with_filters",
    "zero_groups",
    "zero_groups_elsewhere",
]
