"""Architectures: from a `ModelSpec` to a module, and what it consists of."""

from core.models.attention import Attention
from core.models.build import build, check, count_parameters
from core.models.catalogue import CATALOGUE, ModelEntry
from core.models.cnn import CNN
from core.models.mlp import MLP
from core.models.prune import GradualPruning, cubic, prune_, smallest
from core.models.rnn import RNN
from core.models.shrink import Cost, Shrunk, shrink
from core.models.summary import LayerRow, Summary, multiply_adds, summarise

__all__ = [
    "CATALOGUE",
    "CNN",
    "MLP",
    "RNN",
    "Attention",
    "Cost",
    "GradualPruning",
    "LayerRow",
    "ModelEntry",
    "Shrunk",
    "Summary",
    "build",
    "check",
    "count_parameters",
    "cubic",
    "multiply_adds",
    "prune_",
    "shrink",
    "smallest",
    "summarise",
]
