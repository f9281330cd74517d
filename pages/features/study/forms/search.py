"""Which of many: what is varied, how many settings, how the budget is spent."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.regularise.catalogue import REGULARISERS
from core.run.spec import RunSpec
from core.study.rules.halving import rungs
from core.study.samplers import SAMPLERS
from core.text.escape import plain

METHODS = {"halving": "halving", "hyperband": "Hyperband", "full": "all to the end"}
WIDE = 10.0  # times, and a tenth of, the base run's: how far a rate is varied …
WIDER = 30.0  # … and a strength


def fields(base: RunSpec) -> tuple[RunSpec, dict[str, Any]] | None:
    """The dials; what they say."""
    offered = _offered(base)
    chosen = st.multiselect(
        "Vary", list(offered), default=list(offered)[:3], key=f"study.vary.{hash(tuple(offered))}"
    )
    if not chosen:
        st.info("Choose at least one dial that is varied.", icon=":material/touch_app:")
        return None
    varied = []
    for name in chosen:
        field = offered[name]
        if "values" not in field:
            left, right = st.columns(2)
            low = left.number_input(
                plain(f"{name}, from"), value=field["low"], format="%g", key=f"study.low.{field['path']}"
            )
            high = right.number_input(
                plain(f"{name}, to"), value=field["high"], format="%g", key=f"study.high.{field['path']}"
            )
            field = {**field, "low": low, "high": high}
        varied.append(field)
    left, right = st.columns(2)
    method = left.segmented_control(
        "Budget", list(METHODS), default="halving", required=True, key="study.method",
        format_func=lambda each: METHODS[each],
        help="Halving lets the best third go on at each rung. Hyperband also begins with fewer settings and "
        "more epochs, for a run that starts slowly may win in the end.",
    )  # fmt: skip
    sampler = right.segmented_control(
        "Settings are drawn", [name for name in SAMPLERS if name != "grid"], default="random", required=True,
        key="study.sampler", format_func=lambda name: SAMPLERS[name].title,
        help="Optuna looks at what was good before, and needs `pip install optuna`.",
    )  # fmt: skip
    left, right = st.columns(2)
    settings = left.slider("Settings", 3, 81, 27, key="study.settings", disabled=method == "hyperband")
    epochs = right.slider("Epochs of the last rung", 3, 81, 27, key="study.epochs")
    if method == "halving":
        said = " → ".join(f"{rung.settings} at {rung.epochs}" for rung in rungs(settings, 3, 1, epochs))
        st.caption(
            plain(
                f"Settings at epochs: {said}. What is promoted goes on where it was. It need not find the "
                "winner of a full search."
            )
        )
    return base, {
        "fields": varied, "method": method, "sampler": sampler, "settings": settings, "epochs": epochs,
    }  # fmt: skip


def _offered(base: RunSpec) -> dict[str, dict[str, Any]]:
    """What can be varied of this run, with a range around what it has."""
    lr = base.optimiser.lr or 1e-3
    found: dict[str, dict[str, Any]] = {
        "Learning rate": {
            "path": "optimiser.lr",
            "low": lr / WIDE,
            "high": min(1.0, lr * WIDE),
            "scale": "log",
        }
    }
    for i, each in enumerate(base.regularisers):
        if each.strength:
            entry = REGULARISERS[each.kind]
            found[f"λ of {entry.title}"] = {
                "path": f"regularisers.{i}.strength",
                "low": each.strength / WIDER,
                "high": min(entry.strength_max, each.strength * WIDER),
                "scale": "log",
            }
    if "dropout" in base.model.params:
        found["Dropout"] = {"path": "model.params.dropout", "low": 0.0, "high": 0.6}
    if any(op.enabled for op in base.augment.ops):
        found["Strength of the augmentation"] = {"path": "augment.strength", "low": 0.0, "high": 2.0}
    if "weight_decay" in base.optimiser.params:
        found["Weight decay"] = {
            "path": "optimiser.params.weight_decay",
            "low": 1e-5,
            "high": 0.3,
            "scale": "log",
        }
    found["Batch size"] = {"path": "train.batch_size", "values": [32, 64, 128, 256]}
    return found
