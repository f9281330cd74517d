"""The operations, family by family."""
