"""Regularisers: penalties, proximal steps, decay and procedures: what acts on training."""
