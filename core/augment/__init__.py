"""Augmentation: Kornia's operations as a catalogue, and a pipeline built from a spec."""

from core.augment.catalogue import CATALOGUE
from core.augment.check import check, check_names
from core.augment.draws import DrawnOp, Draws, OpDraws
from core.augment.entry import OpEntry
from core.augment.mixing import DrawnMix, MixDraws, Mixer
from core.augment.mixing_entries import MIXES, MixEntry
from core.augment.pipeline import Pipeline

__all__ = [
    "CATALOGUE",
    "MIXES",
    "DrawnMix",
    "DrawnOp",
    "Draws",
    "MixDraws",
    "MixEntry",
    "Mixer",
    "OpDraws",
    "OpEntry",
    "Pipeline",
    "check",
    "check_names",
]
