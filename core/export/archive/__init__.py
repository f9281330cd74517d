"""A run, or several, as one file: ``.augury.zip``."""
