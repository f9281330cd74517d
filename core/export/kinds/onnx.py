"""A network for others to use: one ONNX file, given away only if it computes what torch computes.

The input ``images`` is float32 (N, C, S, S) in [0, 1], with any N; the output ``logits`` is float32
(N, classes). The images are normalised inside, as in training. The model's properties say which run it is,
its classes, the normalisation, and the versions; ``json.loads`` reads the lists among them.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import onnx
import onnxruntime
import onnxscript
import torch
from onnxscript import opset20
from torch import Tensor, nn

from core import __version__
from core.export.catalogue import COMMAND
from core.export.source import Asked, Source
from core.figures.epochs_csv import VERSIONS
from core.probe.label_damage import open_trained
from core.run.errors import SpecError
from core.train.session import Session

FILE = "network.onnx"
OPSET, op = 20, cast(Any, opset20)
COUNTS = (1, 2, 7)  # images at a time that it is tried with
TOLERANCE = 1e-5  # of an image's largest logit, or of 1 if that is smaller: rounding grows with it
LIBRARIES = (torch, onnx, onnxscript, onnxruntime)  # that the file is made and tried with


class Normalised(nn.Module):
    """Images (N, C, S, S) in [0, 1] to logits (N, classes): what is subtracted and divided by is inside."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)  # (C, 1, 1)
        self.register_buffer("std", std)  # (C, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits


def write(asked: Asked, folder: Path) -> None:
    """``network.onnx``.

    Raises:
        SpecError: as `checked`.
    """
    (folder / FILE).write_bytes(checked(asked.run)[1])


def checked(run: Source) -> tuple[Session, bytes]:
    """A run's network with its images, and the ONNX file's bytes, whose logits are torch's.

    Raises:
        SpecError: the run's images or weights are gone, the network can't be written, or the file's logits
            are not those of torch.
    """
    session = open_trained(run.spec, run.folder, "cpu")
    network = Normalised(session.model, session.mean, session.std).eval()
    batches = _batches(session.validation.images)
    with torch.inference_mode():  # before it is written: that leaves traces in the network
        expected = [network(images) for images in batches]
    graph = written(network, batches[-1], _properties(run, session))
    check_parity(graph, batches, expected)
    return session, graph


def opened(graph: bytes) -> onnxruntime.InferenceSession:
    """The file, ready to be asked, with one thread."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def written(network: nn.Module, images: Tensor, properties: Mapping[str, str]) -> bytes:
    """The network as an ONNX file's bytes.

    Args:
        network: in evaluation mode, on the CPU.
        images: two or more to follow through it, float (N, C, S, S); how many is left open.
        properties: of the model.

    Raises:
        SpecError: it has a part that ONNX or torch's exporter does not know.
    """
    try:
        with _quietly():
            program = torch.onnx.export(
                network,
                (images,),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                custom_translation_table={torch.ops.aten.rnn_tanh.input: _plain_recurrent},
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = " ".join(str(error).split())[:200]
        raise SpecError(
            "", f"This network can't be written as ONNX; take its weights instead. ({reason})"
        ) from None
    assert program is not None
    model: Any = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # where each line of the code lies on this machine
    model.producer_name, model.producer_version = "augury", __version__
    onnx.helper.set_model_props(model, dict(properties))
    graph: bytes = model.SerializeToString(deterministic=True)
    return graph


def check_parity(graph: bytes, batches: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    """Run the file and compare its logits with torch's.

    Args:
        graph: from `written`.
        batches: images (N, C, S, S), of different N.
        expected: torch's logits (N, classes) for each.

    Raises:
        SpecError: a logit is off by more than `TOLERANCE`, or is no number.
    """
    session = opened(graph)
    for images, logits in zip(batches, expected, strict=True):
        (answered,) = session.run(["logits"], {"images": images.numpy()})
        off = (torch.from_numpy(answered) - logits).abs()
        worst = float((off / logits.abs().amax(1, keepdim=True).clamp_min(1)).max())
        if not worst <= TOLERANCE:
            what = (
                f"For {len(images)} image{'s' if len(images) > 1 else ''} the ONNX file's logits are off by "
                f"{float(off.max()):.2g}, {worst:.2g} of the largest or of 1, and {TOLERANCE:g} is allowed; "
                f"so there is no file. A newer onnxscript may mend it: {COMMAND}"
            )
            raise SpecError("", what, "no_parity", {"off": float(off.max()), "share": worst})


def _plain_recurrent(
    states: Any,
    first: Any,
    weights: Sequence[Any],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Any, Any]:
    """ONNX's own operator for a plain recurrent layer with tanh. Torch's exporter knows those of LSTM and
    GRU, but would write this layer's every step by itself: 706 operators instead of 14 for two layers, both
    directions and 28 rows.

    The arguments are those of ``aten::rnn_tanh.input``; ``weights`` are four a direction: from the input,
    from the state, and the biases of both.
    """
    assert num_layers == 1 and has_biases and batch_first, "as `core.models.rnn` builds them"
    ways = [weights[i : i + 4] for i in range(0, len(weights), 4)]
    biases = [op.Concat(of_input, of_state, axis=0) for _, _, of_input, of_state in ways]
    states, last = op.RNN(
        op.Transpose(states, perm=[1, 0, 2]),  # (B, T, inputs) → (T, B, inputs)
        _stacked([way[0] for way in ways]),  # (directions, hidden, inputs)
        _stacked([way[1] for way in ways]),  # (directions, hidden, hidden)
        _stacked(biases),  # (directions, 2·hidden)
        None,
        first,
        hidden_size=first.shape[2],
        direction="bidirectional" if bidirectional else "forward",
    )
    states = op.Transpose(
        states, perm=[2, 0, 1, 3]
    )  # (T, directions, B, hidden) → (B, T, directions, hidden)
    return op.Reshape(states, [0, 0, -1]), last  # 0: as it is


def _stacked(parts: Sequence[Any]) -> Any:
    return op.Concat(*[op.Unsqueeze(part, [0]) for part in parts], axis=0)


def _batches(images: Tensor) -> list[Tensor]:
    """As many images as `COUNTS` has it, float in [0, 1], of uint8 images; from the first again where there
    are too few."""
    places = torch.arange(sum(COUNTS)) % len(images)
    return [images[index].float().div(255) for index in places.split(list(COUNTS))]


def _properties(run: Source, session: Session) -> dict[str, str]:
    classes = session.validation.classes
    channels, side = session.validation.channels, session.validation.side
    colours = "grey" if channels == 1 else "red, green, blue"
    versions = {library.__name__: str(library.__version__) for library in LIBRARIES}
    trained: Mapping[str, str] = (run.history.started or {}).get("versions", {})
    return {
        "name": run.spec.name,
        "run_id": run.id,
        "architecture": run.spec.model.arch,
        "input": f"images: float32 (N, {channels}, {side}, {side}), {colours}, 0 to 1; normalised inside",
        "output": f"logits: float32 (N, {len(classes)}); their softmax is the probability of each class",
        "classes": json.dumps(classes),
        "mean": json.dumps(session.mean.flatten().tolist()),
        "std": json.dumps(session.std.flatten().tolist()),
        "trained_with": json.dumps({name: trained.get(name, "") for name in VERSIONS}),
        "written_with": json.dumps({"augury": __version__, **versions}),
        "opset": str(OPSET),
    }


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what the exporter says of its own code and of libraries that nobody needs here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
