"""Augmentation: Kornia's operations as a catalogue, and a pipeline built from a spec."""

from core.augment.catalogue import CATALOGUE
from core.augment.check import check
from core.augment.draws import DrawnOp, Draws, OpDraws
from core.augment.entry import OpEntry
from core.augment.pipeline import Pipeline

__all__ = ["CATALOGUE", "DrawnOp", "Draws", "OpDraws", "OpEntry", "Pipeline", "check"]
