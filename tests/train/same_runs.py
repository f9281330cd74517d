"""Every architecture with every technique, and the runs that must come to the same bits."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.run.commands import Control
from core.run.edits import Edit, read_edits
from core.run.events import Event
from core.run.spec import parse
from core.train.loop import run
from tests.train.small_runs import epochs

IMAGES, EPOCHS, STEPS = 160, 4, 40  # batches of 16
NETWORKS: dict[str, dict[str, Any]] = {
    "cnn": {"arch": "cnn", "params": {"channels": [4, 8], "hidden": 16, "batch_norm": True}},
    "mlp": {"arch": "mlp", "params": {"hidden": [24, 16]}},
    "rnn": {"arch": "rnn", "params": {"hidden": 16}},
    "attention": {"arch": "attention", "params": {"width": 16, "heads": 2, "depth": 1}},
}
AFFINE = {"ops": [{"op": "RandomAffine", "p": 1.0}]}
TECHNIQUES: dict[str, dict[str, Any]] = {
    "dropout": {"dropout": 0.3},
    "augmentation": {"augment": AFFINE},
    "mixup": {"augment": {"mix": {"op": "RandomMixUpV2"}}},
    "ema": {"regularisers": [{"kind": "ema"}]},
    "proximal l1": {"regularisers": [{"kind": "l1", "strength": 1e-3, "solver": "proximal"}]},
    "early stopping": {
        "regularisers": [{"kind": "early_stopping", "params": {"patience": 2, "min_delta": 0.02}}]
    },
    "sam, clipped, under muon": {
        "regularisers": [{"kind": "sam"}, {"kind": "clipping", "params": {"norm": 1.0}}],
        "optimiser": {"kind": "muon", "lr": 0.01, "schedule": "warm-restarts"},
        "dropout": 0.3,
    },
    "edits": {"augment": AFFINE, "dropout": 0.1},
}
EDITS: list[Edit] = [
    {"step": 7, "set": {"optimiser.lr": 0.002}},
    {"step": 13, "set": {"train.batch_size": 40, "model.params.dropout": 0.4}},
    {"step": 22, "set": {"train.epochs": 5, "augment.strength": 0.4}},
]


def spec_of(network: str, technique: str) -> dict[str, Any]:
    how = dict(TECHNIQUES[technique])
    model = NETWORKS[network]
    if "dropout" in how:
        model = model | {"params": model["params"] | {"dropout": how.pop("dropout")}}
    return {
        "data": {"name": "digits", "train_images": IMAGES},
        "model": model,
        "optimiser": {"kind": "adam", "lr": 0.01, "schedule": "cosine"},
        "train": {"epochs": EPOCHS, "batch_size": 16, "device": "cpu"},
        **how,
    }


def edits_of(technique: str) -> list[Edit]:
    return EDITS if technique == "edits" else []


def sha(folder: Path) -> str:
    """Of a run's weights."""
    return hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()


def result(events: Sequence[Event], folder: Path) -> tuple[list[dict[str, Any]], str]:
    """What must be the same: each epoch, in its order and once, without its times, and the weights."""
    once = {event["epoch"]: event for event in json.loads(json.dumps(epochs(events)))}
    return [once[epoch] for epoch in sorted(once)], sha(folder)


def steered(
    chosen: Mapping[str, Any],
    out: Path,
    asked: Mapping[int, list[dict[str, Any]]],
    *,
    resume: bool = False,
    until: int | None = None,
    made: Sequence[Event] = (),
) -> Iterator[Event]:
    """A run's events. After step n ``asked[n]`` is posted, but for edits that are ``made``; after step
    ``until`` nobody asks for more, as if the run were killed."""
    control = Control()
    known = [each["step"] for each in made if each["event"] == "edit"]
    for event in run(parse(chosen), control, out=out, resume=resume):
        yield event
        if event["event"] != "step":
            continue
        for command in asked.get(event["step"], ()):
            if command["command"] != "edit" or event["step"] not in known:
                control.post(command)
        if event["step"] == until:
            return


def live(technique: str) -> dict[int, list[dict[str, Any]]]:
    """The edits of a technique as a person makes them: after the step before they are in force."""
    return {each["step"]: [{"command": "edit", "set": each["set"]}] for each in edits_of(technique)}


def straight(network: str, technique: str, out: Path) -> list[Event]:
    return list(steered(spec_of(network, technique), out, live(technique)))


def paused(network: str, technique: str, out: Path, times: int, rng: random.Random) -> list[Event]:
    """Paused and resumed so often, at random steps; some pauses are a step or an epoch long."""
    asked = live(technique)
    for step in sorted(rng.choices(range(1, STEPS - 8), k=times)):
        on = rng.choice([["resume"], ["resume"], ["step", "resume"], ["epoch", "resume"]])
        pause = [{"command": name} for name in ("pause", *on)]
        asked[step] = [*pause, *asked.get(step, [])] if rng.random() < 0.5 else [*asked.get(step, []), *pause]
    return list(steered(spec_of(network, technique), out, asked))


def cut(network: str, technique: str, out: Path, steps: Sequence[int]) -> list[Event]:
    """Cut after each of these steps and resumed from the newest checkpoint, in one process."""
    seen: list[Event] = []
    for i, until in enumerate([*steps, None]):
        asked = {"resume": i > 0, "until": until, "made": list(seen)}
        seen += steered(spec_of(network, technique), out, live(technique), **asked)
    return seen


def replayed(network: str, technique: str, out: Path, told: Sequence[Event]) -> list[Event]:
    """From the spec and the ``edit`` events of another run."""
    edits = read_edits([each for each in told if each["event"] == "edit"])
    return list(run(parse(spec_of(network, technique)), out=out, edits=edits))
