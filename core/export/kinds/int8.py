"""A network that computes with integers of 8 bits: one ONNX file, made by onnxruntime's own quantiser, and
what it costs and loses, measured here.

Dense layers, convolutions and the products within attention multiply int8 by int8 (Jacob et al. 2018, arXiv
1712.05877, section 2). A weight's scale is that of its output channel, symmetric; the scales of what goes in
and out are those of the least and largest number that training images give there. All else stays float32:
norm layers, softmax, GELU. Recurrent layers have no such integers in onnxruntime, so a network of them is
refused.

Weights go from -64 to 64 alone: processors without VNNI instructions add two products up in 16 bits, and
255·64·2 fits there while 255·127·2 does not. So the answers are the same everywhere. The other way out,
`session.x64quantprecision`, takes twice the time, on processors that need it and on those that don't (LeNet,
256 images at a time: 3.6 instead of 1.2 microseconds an image; the default CNN: 124 instead of 61).

onnxruntime's documentation, "Quantize ONNX models": prepared by `quant_pre_process`, which folds batch norm
into the convolution before it; weights and activations int8, written as pairs of QuantizeLinear and
DequantizeLinear.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from core import __version__
from core.data.dataset import Dataset
from core.export.kinds.onnx import checked, opened
from core.export.measured import MEASURED
from core.export.source import Asked
from core.layers.weights import regularised_weights
from core.run.errors import SpecError
from core.transform.costs import BATCH, LEAST_SECONDS, ROUNDS
from core.transform.network import LOOKED_AT

FILE, LOADER = "network-int8.onnx", "ask.py"
# Of all that it could, no more accurate: the default CNN would take 1.27 times as long, attention 1.35 times
# (one image at a time, one thread, medians of 200 rounds in turns).
OPERATORS = ("Conv", "Gemm", "MatMul")
AT_A_TIME = 64  # images

_ASK = '''"""Ask the network of {run}: python ask.py

This needs numpy and onnxruntime.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(Path(__file__).with_name("{file}"))
about = session.get_modelmeta().custom_metadata_map
images = np.random.rand(1, {channels}, {side}, {side}).astype(np.float32)  # yours: float, from 0 to 1
logits = session.run(["logits"], {{"images": images}})[0][0]
shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
print(f"{{json.loads(about['classes'])[shares.argmax()]}}: {{shares.max():.1%}}")
'''


def write(asked: Asked, folder: Path) -> None:
    """``network-int8.onnx``; ``measured.json``: accuracy, bytes and time of it and of float32; ``ask.py``.

    Raises:
        SpecError: as `core.export.kinds.onnx.checked`, or most of the network's weights would stay float32.
    """
    session, plain = checked(asked.run)
    weights = sum(weight.numel() for layer in regularised_weights(session.model).values() for weight in layer)
    images = session.train.images[:LOOKED_AT]
    graph = quantised(plain, images)
    whole = integers(graph)
    if whole < weights / 2:
        what = (
            f"Of this network's {weights:,} weights only {whole:,} would have 8 bits: onnxruntime has no "
            "integers for recurrent layers. Take it as ONNX in float32; or quantise it under Compress and "
            "take its weights packed."
        )
        raise SpecError("", what, "no_integers", {"weights": weights, "integers": whole})
    kept = session.validation
    networks = {"float32": opened(plain), "int8": opened(graph)}
    accuracy = {name: accuracy_of(network, kept) for name, network in networks.items()}
    known = {
        "accuracy_int8": repr(accuracy["int8"]),
        "accuracy_float32": repr(accuracy["float32"]),
        "validation_images": str(len(kept.labels)),
        "calibration_images": str(len(images)),
    }
    file = _with_properties(graph, known)
    (folder / FILE).write_bytes(file)
    alone, many = (_times(networks, kept.images, count) for count in (1, BATCH))
    measured = {
        "run": asked.run.id,
        **{
            name: {
                "bytes": size,
                "accuracy": accuracy[name],
                "microseconds_alone": alone[name],
                "microseconds": many[name],
            }
            for name, size in (("float32", len(plain)), ("int8", len(file)))
        },
        "validation_images": len(kept.labels),
        "calibration_images": len(images),
        "weights": weights,
        "integers": whole,
        "batch": BATCH,
        "threads": 1,
        "onnxruntime": onnxruntime.__version__,
    }
    (folder / MEASURED).write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    ask = _ASK.format(run=asked.run.stem, file=FILE, channels=kept.channels, side=kept.side)
    (folder / LOADER).write_text(ask, encoding="utf-8")


def quantised(graph: bytes, images: Tensor) -> bytes:
    """An ONNX file's bytes with layers of 8 bits.

    Args:
        graph: from `core.export.kinds.onnx.written`.
        images: uint8 (N, C, S, S), of which the ranges of activations are.
    """
    with tempfile.TemporaryDirectory(prefix="augury-int8-") as made:
        ready, out = Path(made) / "ready.onnx", Path(made) / "int8.onnx"
        quant_pre_process(onnx.load_from_string(graph), ready)
        quantize_static(
            ready,
            out,
            _Images(images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(OPERATORS),
        )
        return out.read_bytes()


def integers(graph: bytes) -> int:
    """How many numbers of a file's weights are int8."""
    kept = onnx.load_from_string(graph).graph.initializer
    sizes = (each.dims for each in kept if each.data_type == onnx.TensorProto.INT8 and len(each.dims) > 1)
    return sum(int(np.prod(dims)) for dims in sizes)


def accuracy_of(network: onnxruntime.InferenceSession, dataset: Dataset) -> float:
    """The share of images that onnxruntime names rightly."""
    right = 0
    for images, labels in zip(dataset.images.split(AT_A_TIME), dataset.labels.split(AT_A_TIME), strict=True):
        (logits,) = network.run(["logits"], {"images": _floats(images)})
        right += int((logits.argmax(1) == labels.numpy()).sum())
    return right / len(dataset.labels)


class _Images(CalibrationDataReader):
    """What the ranges are of, batch after batch."""

    def __init__(self, images: Tensor) -> None:
        self.left = iter(images.split(AT_A_TIME))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        images = next(self.left, None)
        return None if images is None else {"images": _floats(images)}


def _floats(images: Tensor) -> NDArray[np.float32]:
    floats: NDArray[np.float32] = images.float().div(255).numpy()
    return floats


def _times(
    networks: Mapping[str, onnxruntime.InferenceSession], images: Tensor, count: int
) -> dict[str, float]:
    """Microseconds an image of each network, ``count`` at a time: the median of rounds in turns, as in
    `core.transform.costs`."""
    batch = {"images": _floats(images[np.arange(count) % len(images)])}
    rounds: dict[str, list[float]] = {name: [] for name in networks}
    began = time.perf_counter()
    while len(rounds["int8"]) < ROUNDS or time.perf_counter() - began < LEAST_SECONDS:
        for name, network in networks.items():
            before = time.perf_counter()
            network.run(["logits"], batch)
            rounds[name].append(time.perf_counter() - before)
    return {name: 1e6 * median(times[1:]) / count for name, times in rounds.items()}


def _with_properties(graph: bytes, known: Mapping[str, str]) -> bytes:
    """The file with more said about it; who made it is who made the float file."""
    model: Any = onnx.load_from_string(graph)
    said = {each.key: each.value for each in model.metadata_props}
    onnx.helper.set_model_props(model, {**said, **known})
    model.producer_name, model.producer_version = "augury", __version__
    file: bytes = model.SerializeToString(deterministic=True)
    return file
