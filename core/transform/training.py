"""What the further training of a network that was made of others keeps up, as regularisers; without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Held = list[dict[str, Any]]


def nothing(params: Mapping[str, Any], epochs: int) -> Held:
    return []


def after_pruning(params: Mapping[str, Any], epochs: int) -> Held:
    """Of single weights the zeros; units are gone."""
    if params["what"] == "units":
        return []
    if params["when"] == "step by step" and epochs:
        rise = max(1, round(epochs * 2 / 3))
        return [
            {
                "kind": "pruning",
                "strength": params["share"],
                "schedule": "cubic",
                "warmup_epochs": rise,
                "params": {"threshold": params["threshold"]},
            }
        ]
    return [{"kind": "hold_zeros"}]


def after_shrinking(params: Mapping[str, Any], epochs: int) -> Held:
    return [{"kind": "hold_zeros"}]


def after_quantising(params: Mapping[str, Any], epochs: int) -> Held:
    own = {name: params[name] for name in ("bits", "by", "symmetric", "ends_at")}
    return [{"kind": "quantisation", "params": own}]


def taught(params: Mapping[str, Any], epochs: int) -> Held:
    return [{"kind": "distillation", "params": {name: params[name] for name in ("temperature", "alpha")}}]
