"""The events of a made-up run in which L1 bites: what figures and pages are tried on.

The weights are made up and measured by hand here, so that a chart can be compared with plain counting.
"""

from __future__ import annotations

import base64

import numpy as np

from core.run.spec import RunSpec
from core.store.find import spec_columns
from core.store.imported import NewRun, put
from core.store.store import Store

EPOCHS = 6
LAYERS = {"conv1": (8, 1, 3, 3), "fc": (20, 32)}
EDGES = [2.0**power for power in range(-30, 5)]
STARTED = {
    "event": "started", "device": "cpu", "device_name": "CPU", "threads": 1, "parameters": 712,
    "train_images": 80, "validation_images": 20, "classes": ["0", "1"], "epochs": EPOCHS,
    "steps_per_epoch": 4, "thorough_every": 2,
}  # fmt: skip
PRUNABLE = {
    "share": 0.9, "low": 0.8, "high": 0.94, "accuracy": 0.745, "layers": {"conv1": 0.5, "fc": 0.95},
}  # fmt: skip


def create(store: Store, run_id: str, spec: RunSpec, created_at: float, **columns: object) -> None:
    """As `Store.create`, but stopped from the first: no queue may take the run before it has its events."""
    row = {"id": run_id, "name": spec.name, "spec": spec.to_json(), "state": "stopped", "owner": ""}
    put(store, [NewRun(row | {"created_at": created_at} | spec_columns(spec) | columns, ())])


def weights(epoch: int) -> dict[str, np.ndarray]:
    """After ``epoch`` epochs: what was smaller than a rising bound at first is 0, and one filter is."""
    random = np.random.default_rng(0)
    drawn = {name: random.normal(0, 0.1, shape) for name, shape in LAYERS.items()}
    cut = {name: np.where(np.abs(w) < 0.01 * epoch, 0.0, w) for name, w in drawn.items()}
    if epoch >= 3:
        cut["conv1"][2] = 0.0
    return cut


def step(epoch: float) -> dict:
    return {
        "event": "step", "step": int(4 * epoch), "epoch": epoch, "loss": 2 / (1 + epoch),
        "penalty": 0.1 * epoch,
        "penalties": {"l1": 0.08 * epoch, "l2": 0.02 * epoch},
        "strengths": {"l1": 1e-3 * min(1, epoch / 3), "l2": 1e-4}, "learning_rate": 1e-3,
    }  # fmt: skip


def epoch_event(epoch: int, *, old: bool = False) -> dict:
    """``old``: as a run of the first version has it, without the newer fields."""
    event = {
        "event": "epoch", "epoch": epoch, "step": 4 * epoch, "train_loss": 1 / epoch, "train_accuracy": 0.5,
        "validation_loss": 2 / epoch, "validation_accuracy": 0.75, "penalty": 0.1 * epoch, "seconds": 1.0,
        "images_per_second": 80.0, "sparsity": _sparsity(epoch, old),
    }  # fmt: skip
    if old:
        return event
    event |= {
        "penalties": {"l1": 0.08 * epoch, "l2": 0.02 * epoch},
        "strengths": {"l1": 1e-3 * min(1, epoch / 3), "l2": 1e-4},
        "weights": {name: _histogram(w) for name, w in weights(epoch).items()},
        "filters": _filters(weights(epoch)["conv1"]),
    }
    return event | ({"prunable": PRUNABLE} if epoch % 2 == 0 else {})


def events(*, old: bool = False, epochs: int = EPOCHS) -> list[dict]:
    """A whole run, from ``running`` to ``finished``."""
    told = [{"event": "state", "state": "running", "reason": ""}, STARTED]
    for epoch in range(1, epochs + 1):
        steps = [step(epoch - 1 + quarter / 4) for quarter in (1, 2, 3, 4)]
        if old:
            steps = [{k: v for k, v in s.items() if k not in ("penalties", "strengths")} for s in steps]
        told += [*steps, epoch_event(epoch, old=old)]
    last = {key: value for key, value in epoch_event(epochs, old=old).items() if key != "event"}
    told.append(
        {"event": "finished", "epochs": epochs, "seconds": 1.0 * epochs, "result": last, "last": last}
    )
    return [*told, {"event": "state", "state": "finished", "reason": ""}]


def _sparsity(epoch: int, old: bool) -> dict:
    layers = weights(epoch)
    rows = {name: _counted(w) for name, w in layers.items()}
    whole = _counted(np.concatenate([w.ravel() for w in layers.values()]))
    if not old:
        dead = int((layers["conv1"].reshape(8, -1) == 0).all(1).sum())
        rows["conv1"] |= {"hoyer": 0.5, "bytes": {"dense": 288, "sparse": 200}}
        rows["conv1"]["groups"] = {"filters": {"zero": dead, "all": 8}}
        rows["fc"] |= {"hoyer": 0.25, "bytes": {"dense": 2560, "sparse": 2000}}
        rows["fc"]["groups"] = {"neurons": {"zero": 0, "all": 20}}
        whole |= {"hoyer": 0.3, "bytes": {"dense": 2848, "sparse": 2200}}
        whole["groups"] = {"filters": {"zero": dead, "all": 8}, "neurons": {"zero": 0, "all": 20}}
        if epoch != 2:  # thorough measures are not taken every epoch
            whole |= {"gini": 0.6, "effective_rank": 12.5}
    return {**whole, "layers": rows}


def _counted(w: np.ndarray) -> dict:
    return {
        "exact": float((w == 0).mean()),
        "near": float((np.abs(w) < 1e-3).mean()),
        "weights": w.size,
    }


def _histogram(w: np.ndarray) -> dict:
    nonzero = np.abs(w[w != 0])
    return {
        "zeros": int((w == 0).sum()),
        "edges": EDGES,
        "counts": np.histogram(nonzero, EDGES)[0].tolist(),
    }


def _filters(w: np.ndarray) -> dict:
    scaled = np.round(127 * w / np.abs(w).max()).astype(np.int8)
    values = base64.b64encode(scaled.tobytes()).decode()
    return {"layer": "conv1", "of": 8, "shape": list(w.shape), "values": values}
