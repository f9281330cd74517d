"""Architectures: from a `ModelSpec` to a module, and what it consists of."""

from core.models.attention import Attention
from core.models.build import build, check, count_parameters
from core.models.catalogue import CATALOGUE, ModelEntry
from core.models.cnn import CNN
from core.models.dropout import DROPOUTS, DropoutEntry, dropouts
from core.models.mlp import MLP
from core.models.prune import GradualPruning, cubic, prune_, smallest
from core.models.rnn import RNN
from core.models.shrink import REMOVABLE, Cost, Shrunk, shrink
from core.models.summary import LayerRow, Summary, multiply_adds, summarise

__all__ = [
    "CATALOGUE",
    "CNN",
    "DROPOUTS",
    "MLP",
    "REMOVABLE",
    "RNN",
    "Attention",
    "Cost",
    "DropoutEntry",
    "GradualPruning",
    "LayerRow",
    "ModelEntry",
    "Shrunk",
    "Summary",
    "build",
    "check",
    "count_parameters",
    "cubic",
    "dropouts",
    "multiply_adds",
    "prune_",
    "shrink",
    "smallest",
    "summarise",
]
