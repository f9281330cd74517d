"""The `epoch` events of eight specs, to the last bit: what a refactoring must not change.

    python -m tests.same_numbers --write FILE    # before
    python -m tests.same_numbers --check FILE    # after; exit status 1 and each difference, if any

The last bit depends on the processor too, so the file is made on the machine that compares, and not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["AUGURY_THREADS"] = "1"

CNN = {"channels": [16, 32], "hidden": 64}


def op(name: str, **params: Any) -> dict[str, Any]:
    return {"op": name, "params": params}


SPECS: dict[str, dict[str, Any]] = {
    "default": {},
    "cnn, affine and erasing, L1 and L2": {
        "augment": {"ops": [op("RandomAffine"), op("RandomErasing"), op("RandomGaussianNoise")]},
        "regularisers": [{"kind": "l1", "strength": 1e-3, "warmup_epochs": 1}, {"kind": "l2"}],
        "model": {"params": CNN},
    },
    "cnn with norm, group lasso, EMA, SGD": {
        "model": {"params": {**CNN, "batch_norm": True, "channel_dropout": 0.1}},
        "regularisers": [{"kind": "group_lasso", "strength": 1e-3}, {"kind": "ema"}],
        "optimiser": {"kind": "sgd", "schedule": "one-cycle"},
    },
    "mlp, elastic net, RMSprop, early stopping": {
        "model": {"arch": "mlp"},
        "regularisers": [{"kind": "elastic_net"}, {"kind": "early_stopping"}],
        "optimiser": {"kind": "rmsprop"},
    },
    "rnn, both directions, MixUp, max-norm": {
        "model": {"arch": "rnn", "params": {"hidden": 32, "bidirectional": True, "layers": 2}},
        "augment": {"mix": {"op": "RandomMixUpV2"}},
        "regularisers": [{"kind": "max_norm"}, {"kind": "weight_decay"}],
    },
    "attention, CutMix, group lasso": {
        "model": {"arch": "attention", "params": {"width": 32, "drop_path": 0.1, "dropout": 0.1}},
        "augment": {"ops": [op("RandomHorizontalFlip")], "mix": {"op": "RandomCutMixV2"}},
        "regularisers": [{"kind": "group_lasso"}],
    },
    "arrows in colour, policies, choose, SWA": {
        "data": {"name": "arrows", "train_images": 512},
        "augment": {
            "ops": [op("TrivialAugment"), op("ColorJiggle"), op("RandomPerspective"), op("RandomRotation")],
            "choose": 2,
            "strength": 0.7,
        },
        "model": {"params": CNN},
        "regularisers": [{"kind": "swa", "params": {"start": 0.3}}, {"kind": "label_smoothing"}],
    },
    "digits, L0 gates, orthogonality": {
        "data": {"name": "digits"},
        "model": {"params": CNN},
        "regularisers": [{"kind": "l0"}, {"kind": "orthogonality"}],
        "optimiser": {"kind": "adam", "schedule": "cosine"},
    },
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path)
    parser.add_argument("--check", type=Path)
    options = parser.parse_args()
    found = {name: _epochs(spec) for name, spec in SPECS.items()}
    if options.write:
        options.write.write_text(json.dumps(found, indent=1))
    if options.check:
        return _compare(json.loads(options.check.read_text()), json.loads(json.dumps(found)))
    return 0


def _epochs(spec: dict[str, Any]) -> list[dict[str, Any]]:
    from core.run.events import MEASURED_TIMES
    from core.run.spec import parse
    from core.runtime import prepare_torch
    from core.train.loop import run

    prepare_torch()
    plain = {"seed": 3, "data": {"train_images": 512}, "train": {"epochs": 3, "batch_size": 64}}
    return [
        {key: value for key, value in event.items() if key not in MEASURED_TIMES}
        for event in run(parse(plain | spec))
        if event["event"] == "epoch"
    ]


def _compare(before: Any, after: Any, place: str = "") -> int:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() <= after.keys():
        return max((_compare(before[key], after[key], f"{place}/{key}") for key in before), default=0)
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return max((_compare(a, b, f"{place}/{i}") for i, (a, b) in pairs), default=0)
    if before == after:
        return 0
    print(f"{place}: {str(before)[:200]} became {str(after)[:200]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
