"""What a page needs of augmentation loads neither torch nor Kornia."""

import subprocess
import sys

import pytest

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.catalogue import imported

MODULES = (
    "catalogue",
    "check",
    "list_changes",
    "entry",
    "exclusions",
    "export.python",
    "export.text",
    "one_operation",
    "ops.mixes",
    "strength",
    "warp_groups",
)
SCRIPT = """
import sys
from importlib import import_module

import_module("core.augment.{module}")
print([name for name in ("torch", "kornia") if name in sys.modules])
"""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_loads_neither_torch_nor_kornia(module):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(module=module)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


TAKE_HOME = """
import sys
from core.augment.catalogue import OPERATIONS
from core.augment.export.python import as_python
from core.augment.export.text import as_json, as_yaml, read
from core.run.spec import AugmentSpec, MixSpec, OpSpec

spec = AugmentSpec(ops=tuple(OpSpec(op=name) for name in OPERATIONS), mix=MixSpec(op="RandomCutMixV2"))
as_python(spec, channels=3, side=32, seed=0)
assert read(as_json(spec)) == read(as_yaml(spec))
print([name for name in ("torch", "kornia") if name in sys.modules])
"""


def test_taking_everything_home_loads_neither_torch_nor_kornia():
    done = subprocess.run([sys.executable, "-c", TAKE_HOME], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize("entry", [*OPERATIONS.values(), *MIXES.values()], ids=lambda entry: entry.name)
def test_the_path_of_an_entry_leads_to_a_class(entry):
    assert isinstance(imported(entry.makes), type)
