"""Each architecture with every cell, depth and norm, written as ONNX and compared with torch by onnxruntime:
``python -m tests.nightly.onnx_parity``.

Prints one JSON object; the exit status is 1 if a logit is off by more than `TOLERANCE`.
"""

from __future__ import annotations

import os

os.environ.setdefault("AUGURY_THREADS", "1")  # before torch loads

import argparse
import json
import sys
import time

import onnxruntime
import torch

from core.export.kinds.onnx import COUNTS, TOLERANCE, Normalised, written
from core.runtime import prepare_torch
from tests.export.onnx_networks import MANY, made_up


def off(arch: str, params: dict, channels: int, side: int) -> float:
    """By how much the file's logits are off, at most."""
    network = Normalised(made_up(arch, params, channels, side), torch.rand(channels, 1, 1), torch.tensor(0.3))
    batches = [torch.rand(count, channels, side, side) for count in COUNTS]
    with torch.no_grad():
        expected = [network.eval()(images) for images in batches]
    graph = onnxruntime.InferenceSession(
        written(network, batches[-1], {}), providers=["CPUExecutionProvider"]
    )
    found = [torch.from_numpy(graph.run(None, {"images": images.numpy()})[0]) for images in batches]
    return max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.nightly.onnx_parity")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth network")
    chosen = MANY[:: parser.parse_args().every]
    prepare_torch()
    torch.manual_seed(0)
    began, found = time.monotonic(), [(off(*each), each) for each in chosen]
    wrong = [each for worst, each in found if not worst <= TOLERANCE]
    told = {
        "networks": len(chosen),
        "worst": max(worst for worst, _ in found),
        "wrong": wrong,
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(told))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
