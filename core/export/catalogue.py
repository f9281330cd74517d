"""As what a run can be taken away. Read without torch; the function that writes lies in a module of its own.

Such a function has the signature ``write(asked: Asked, folder: Path) -> None``: it writes its files into
``folder``, which is there and empty. What can't be written raises `SpecError` with what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from core.catalogue import Entry
from core.run.errors import SpecError

COMMAND = "python -m pip install -r requirements-export.txt"
MOST_RUNS = 8  # that one file tells of


@dataclass(frozen=True, slots=True)
class Question:
    """What a kind asks a person to write.

    Args:
        name: in `core.export.source.Asked.text`.
        label: what stands above the field, ``hint`` in it while it is empty.
        lines: how high the field is; 1: a line.
    """

    name: str
    label: str
    hint: str
    lines: int = 3


AUTHOR = Question("author", "Your name", "Left out if empty", lines=1)
QUESTION = Question("question", "Question", "What did you want to know, and what did you expect?")
CONCLUSION = Question("conclusion", "Conclusion", "What came out, and how sure is it?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Entry):
    """A kind of file.

    Args:
        file: the main file's name. A kind that writes more than it is sent as a zip.
        media_type: of that file.
        write: the path of its function, ``module:name``.
        several: whether one file can tell of two to eight runs.
        wants_weights: whether it needs the network that the run has left.
        computes: whether it needs torch: a network is asked, or data are read.
        modules: of libraries that a plain installation lacks; `COMMAND` installs them.
        asks: what a person may write for it.
    """

    file: str
    media_type: str
    write: str
    several: bool = False
    wants_weights: bool = False
    computes: bool = False
    modules: tuple[str, ...] = ()
    asks: tuple[Question, ...] = ()
    source: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Which of its modules are not installed."""
        return tuple(name for name in self.modules if find_spec(name) is None)

    def check_installed(self) -> None:
        """
        Raises:
            SpecError: a library is missing; it says how to install it.
        """
        if missing := self.missing:
            what = f"{self.title} needs {', '.join(missing)}, which is not installed. Run: {COMMAND}"
            raise SpecError("--as", what, "not_installed", {"modules": list(missing), "command": COMMAND})


EXPORTS: dict[str, Export] = {
    entry.name: entry
    for entry in (
        Export(
            name="csv",
            title="Epochs (CSV)",
            help="A line an epoch with every figure of it.",
            file="epochs.csv",
            media_type="text/csv",
            write="core.export.kinds.csv:write",
            several=True,
        ),
        Export(
            name="script",
            title="Script (Python)",
            help="One file with torch and Kornia alone that trains this very run again; its data lie beside.",
            file="train.py",
            media_type="text/x-python",
            write="core.export.kinds.script:write",
            computes=True,
        ),
        Export(
            name="notebook",
            title="Notebook (Jupyter)",
            help="The script as a lesson, cell by cell, with its data beside it.",
            file="train.ipynb",
            media_type="application/x-ipynb+json",
            write="core.export.kinds.notebook:write",
            computes=True,
            modules=("nbformat",),
        ),
        Export(
            name="onnx",
            title="Network (ONNX)",
            help="The network as one ONNX file that takes any number of images from 0 to 1 and normalises "
            "them itself; its logits are checked against PyTorch's on 1, 2 and 7 images.",
            source="https://onnx.ai",
            file="network.onnx",
            media_type="application/octet-stream",
            write="core.export.kinds.onnx:write",
            wants_weights=True,
            computes=True,
            modules=("onnx", "onnxscript", "onnxruntime"),
        ),
        Export(
            name="int8",
            title="Network of 8-bit integers (ONNX)",
            help="The network as one ONNX file that computes with integers, on the ranges of 512 training "
            "images; beside it accuracy, bytes and time of this and of float32, measured here. It is "
            "smaller, and not always faster. Not for recurrent networks.",
            source="Jacob et al. 2018, arXiv 1712.05877",
            file="network-int8.onnx",
            media_type="application/octet-stream",
            write="core.export.kinds.int8:write",
            wants_weights=True,
            computes=True,
            modules=("onnx", "onnxscript", "onnxruntime"),
        ),
        Export(
            name="weights",
            title="Weights (safetensors)",
            help="The weights as the run saved them, the network as a plain PyTorch module, and a short "
            "script that loads both without Augury and asks the network.",
            source="https://huggingface.co/docs/safetensors",
            file="weights.safetensors",
            media_type="application/octet-stream",
            write="core.export.kinds.weights:write",
            wants_weights=True,
            computes=True,
        ),
        Export(
            name="packed",
            title="Weights, packed",
            help="The weights of a network that is quantised or has many zeros: the few bits that they have "
            "side by side, zeros left out, and a short script that unpacks them, number for number.",
            source="https://huggingface.co/docs/safetensors",
            file="packed.safetensors",
            media_type="application/octet-stream",
            write="core.export.kinds.packed:write",
            wants_weights=True,
            computes=True,
        ),
        Export(
            name="predictions",
            title="Predictions (CSV)",
            help="A line for every validation image: its place in the dataset, its label, the class that the "
            "network names, and the probability of each class. A name that a spreadsheet would take for a "
            "formula gets an apostrophe before it.",
            file="predictions.csv",
            media_type="text/csv",
            write="core.export.kinds.predictions:write",
            wants_weights=True,
            computes=True,
        ),
        Export(
            name="parquet",
            title="Epochs (Parquet)",
            help="The same columns and numbers as the CSV, with their types.",
            source="https://parquet.apache.org",
            file="epochs.parquet",
            media_type="application/vnd.apache.parquet",
            write="core.export.kinds.parquet:write",
            several=True,
        ),
        Export(
            name="tensorboard",
            title="TensorBoard events",
            help="A folder for `tensorboard --logdir`: losses, learning rate and penalties by step, and "
            "every figure of an epoch, as 32-bit floats.",
            source="https://www.tensorflow.org/tensorboard",
            file="events.out.tfevents.augury",
            media_type="application/octet-stream",
            write="core.export.kinds.tensorboard:write",
            modules=("tensorboard",),
        ),
        Export(
            name="archive",
            title="The whole run (archive)",
            help="Spec, changes, events, weights, the images that are shown, and a page that opens without "
            "Augury. Import it here or on another server: it is the same run.",
            file="run.augury.zip",
            media_type="application/zip",
            write="core.export.kinds.archive:write",
            several=True,
        ),
        Export(
            name="report",
            title="Report (HTML)",
            help="One page to hand in: question, settings, curves, figures with n, conclusion; prints well.",
            file="report.html",
            media_type="text/html",
            write="core.export.kinds.report:write",
            several=True,
            asks=(AUTHOR, QUESTION, CONCLUSION),
        ),
        Export(
            name="svg",
            title="Charts (SVG)",
            help="Every chart, sharp at any size, with axes, units and n.",
            file="accuracy.svg",
            media_type="image/svg+xml",
            write="core.export.kinds.svg:write",
            several=True,
        ),
        Export(
            name="png",
            title="Charts (PNG)",
            help="The same as pixels, for a text or slides. A Chrome or Chromium draws them.",
            file="accuracy.png",
            media_type="image/png",
            write="core.export.kinds.png:write",
            several=True,
            modules=("kaleido",),
        ),
    )
}
