"""A run repeats to the bit, in a process of its own, at one thread and at two; the two may differ."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

SPEC = {"model": {"arch": "cnn", "params": {"channels": [4, 8], "hidden": 16}}, "train": {"epochs": 1}}
SPEC |= {"data": {"train_images": 300}, "augment": {"ops": [{"op": "RandomAffine"}]}}


def digest(tmp_path, threads, name):
    out = tmp_path / name
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "AUGURY_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "core", "run", str(tmp_path / "spec.json"), "--out", str(out)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return hashlib.sha256((out / "weights.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("threads", [1, 2])
def test_two_processes_give_the_same_bits(tmp_path, threads):
    assert digest(tmp_path, threads, "a") == digest(tmp_path, threads, "b")
