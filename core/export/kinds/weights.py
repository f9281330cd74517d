"""The network's weights as they are saved, and a few lines of Python that load and ask it without Augury.

``network.py`` is the text of the architecture's own module, with the constants of ours that it imports
written out; so the network that is loaded is the one that was trained.
"""

from __future__ import annotations

import ast
import inspect
import shutil
from importlib import import_module
from pathlib import Path

from core import __version__
from core.augment.export.literals import literal
from core.catalogues import completed
from core.export.fitting import check_plain, fitting, is_smaller
from core.export.source import Asked, Source
from core.models.catalogue import ARCHITECTURES
from core.probe.label_damage import open_trained
from core.run.spec import ModelSpec
from core.train.session import Session

FILE = "weights.safetensors"

_LOAD = '''"""Load the network of {run} and ask it: python load.py [WEIGHTS]

This needs torch and safetensors, and network.py beside it.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from network import {name}

weights = load_file(sys.argv[1] if sys.argv[1:] else Path(__file__).with_name("{file}"))
for name, values in weights.items():
    print(name, tuple(values.shape), f"{{(values == 0).float().mean():.1%}} are exactly zero")
parameters = {parameters}
network = {name}({channels}, {side}, {num_classes}, **parameters)
{fit}network.load_state_dict(weights)
classes = {classes}
mean, std = (torch.tensor(each).view(-1, 1, 1) for each in ({mean}, {std}))
images = torch.rand(1, {channels}, {side}, {side})  # yours: float, from 0 to 1
shares = network.eval()((images - mean) / std).softmax(1)[0]
print(f"{{classes[shares.argmax()]}}: {{shares.max():.1%}}")
'''


def write(asked: Asked, folder: Path) -> None:
    """``weights.safetensors``, byte for byte what the run has left, ``load.py`` and ``network.py``.

    Raises:
        SpecError: the run's images, which say what to normalise with, or its weights are gone.
    """
    run = asked.run
    session = open_trained(run.spec, run.folder, "cpu")
    shutil.copyfile(run.with_weights(), folder / FILE)
    (folder / "load.py").write_text(_loader(run, session), encoding="utf-8")
    module = ARCHITECTURES[run.spec.model.arch].makes.partition(":")[0]
    (folder / "network.py").write_text(module_text(module), encoding="utf-8")


def module_text(path: str) -> str:
    """The text of a module with the constants that it imports of ours written out instead."""
    module = import_module(path)
    text = inspect.getsource(module)
    lines = text.splitlines()
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "core":
            values = {
                each.asname or each.name: getattr(module, each.asname or each.name) for each in node.names
            }
            made = [f"{name} = {literal(value)}" for name, value in values.items()]
            lines[node.lineno - 1 : node.end_lineno] = made
    return "\n".join([f"# Copied from Augury {__version__}, under the Apache License 2.0.", *lines, ""])


def _fit(session: Session, model: ModelSpec) -> str:
    """The lines that make the network as small as its weights; none where it is as its spec builds it.

    Raises:
        SpecError: it does more than its architecture's module.
    """
    check_plain(session.model.state_dict())
    return fitting() if is_smaller(session, model) else ""


def _loader(run: Source, session: Session) -> str:
    model, kept = completed(session.spec).model, session.validation
    name = ARCHITECTURES[model.arch].makes.partition(":")[2]
    params = {key: list(value) if isinstance(value, tuple) else value for key, value in model.params.items()}
    return _LOAD.format(
        run=run.stem,
        file=FILE,
        name=name,
        fit=_fit(session, model),
        parameters=literal(params, len("parameters = ")),
        num_classes=len(kept.classes),
        classes=ascii(list(kept.classes)),
        mean=session.mean.flatten().tolist(),
        std=session.std.flatten().tolist(),
        channels=kept.channels,
        side=kept.side,
    )
