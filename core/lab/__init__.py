"""What the augmentation lab computes around a pipeline: sweeps, histograms, costs, and whether it lies."""
