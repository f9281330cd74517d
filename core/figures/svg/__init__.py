"""Figures as pictures that stand alone: one SVG with title, axes, legend and caption, on white."""

from core.figures.svg.page import HEIGHT, WIDTH, svg

__all__ = ["HEIGHT", "WIDTH", "svg"]
