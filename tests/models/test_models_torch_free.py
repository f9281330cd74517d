"""What a page reads of models, regularisers, measures and figures loads neither torch nor Kornia."""

import pkgutil
import subprocess
import sys

import pytest

import core.figures

MODULES = [
    "core.models.catalogue",
    "core.models.check",
    "core.models.dropout",
    "core.regularise.catalogue",
    "core.regularise.check",
    "core.regularise.schedule",
    "core.measure.catalogue",
    "core.measure.near",
    "core.measure.pacing",
    "core.optimise.catalogue",
    "core.text.advice",
]
# The other figures show what a probe or a study found, and import its types.
FIGURES = [
    f"core.figures.{module.name}"
    for module in pkgutil.iter_modules(core.figures.__path__)
    if module.name not in ("probes", "strength_path")
]
CHECK = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    found = {"torch", "kornia"} & sys.modules.keys()
    assert not found, f"{name} loads {found}"
"""
COMPLETE = """
import sys
from core.models.catalogue import ARCHITECTURES
from core.models.check import completed_model
from core.optimise.catalogue import OPTIMISERS, completed_optimiser
from core.regularise.catalogue import REGULARISERS
from core.regularise.check import completed_regularisers
from core.run.spec import ModelSpec, OptimiserSpec, RegulariserSpec
for arch in ARCHITECTURES:
    completed_model(ModelSpec(arch=arch), channels=1, side=28, num_classes=10)
for kind in OPTIMISERS:
    completed_optimiser(OptimiserSpec(kind=kind))
for kind in REGULARISERS:
    completed_regularisers([RegulariserSpec(kind=kind)])
assert not {"torch", "kornia"} & sys.modules.keys()
"""


def fresh(code, *arguments):
    """Run ``code`` in a process of its own; what it printed if it failed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120
    )
    return "" if done.returncode == 0 else done.stderr


def test_catalogues_checks_texts_and_figures_load_no_torch():
    assert len(FIGURES) > 5
    assert fresh(CHECK, *MODULES, *FIGURES) == ""


def test_a_spec_s_parts_are_completed_without_torch():
    assert fresh(COMPLETE) == ""


@pytest.mark.parametrize("module", ["core.models.build", "core.optimise.build"])
def test_what_builds_does_load_torch(module):
    assert "loads {'torch'}" in fresh(CHECK, module)
