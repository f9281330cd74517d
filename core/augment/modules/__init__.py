"""The modules that Kornia lacks: torch code of our own, each file as an exported script shows it."""
