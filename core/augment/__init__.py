"""Augmentation: Kornia's operations as a catalogue, and a pipeline built from a spec."""
