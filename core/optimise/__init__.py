"""Optimisers and learning-rate schedules: how the weights follow the gradient."""
