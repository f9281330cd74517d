"""Starts the interactive worker while a page that needs it is still being imported.

Import it before everything else: the worker takes two seconds to import torch, and the page's own
modules take one of them.
"""

from core.interactive.client import shared_interactive

shared_interactive().warm()
