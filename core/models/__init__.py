"""Architectures: from a `ModelSpec` to a module, and what it consists of."""
