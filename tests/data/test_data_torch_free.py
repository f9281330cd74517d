"""What the web server needs of images comes without torch, from their names to their pixels."""

import os
import subprocess
import sys

import pytest

MODULES = (
    "annotated",
    "archive",
    "arrows",
    "cache",
    "catalogue",
    "dataset",
    "digits",
    "folder",
    "images",
    "photos",
    "shape",
    "uploads",
)


def run(code: str, home: object) -> None:
    """In a process of its own, in which nothing has been imported yet."""
    code += "\nimport sys\nloaded = {'torch', 'kornia'} & set(sys.modules)\nassert not loaded, loaded"
    environment = {**os.environ, "AUGURY_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_no_torch(name, tmp_path):
    run(f"import core.data.{name}", tmp_path)


def test_reading_keeping_and_showing_images_take_no_torch(tmp_path):
    code = """
import sys
sys.path.insert(0, "tests/data")
from image_files import two_classes, zipped
from core.data.annotated import annotated
from core.data.catalogue import load_dataset
from core.data.photos import photos
from core.data.shape import image_shape
from core.data.uploads import keep_upload
from core.run.spec import DataSpec

own = DataSpec(name="folder", path=keep_upload(zipped(two_classes())).path, side=16)
assert load_dataset(own).images.shape == (6, 3, 16, 16) and image_shape(own).side == 16
assert len(load_dataset(DataSpec()).images) == 5000
assert photos(32)[0].shape == annotated(32).images.shape == (4, 3, 32, 32)
"""
    run(code, tmp_path)


def test_arrows_take_torch_to_be_made_but_not_to_be_read(tmp_path):
    load = "from core.data.catalogue import load_dataset\nfrom core.run.spec import DataSpec\n"
    load += "assert len(load_dataset(DataSpec(name='arrows'))) == 4000"
    with pytest.raises(AssertionError, match="'torch'"):
        run(load, tmp_path)
    run(load, tmp_path)
