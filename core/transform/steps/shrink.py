"""What is zero is taken out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.models.rnn import RNN
from core.transform.network import Network, Sources, layer_rows, state_of
from core.transform.shrink import shrink
from core.transform.units import units_of


def shrunk(sources: Sources, params: Mapping[str, Any]) -> Network:
    """The same answers, from fewer units; a row says why where nothing could be taken out."""
    session = sources.first
    kept = session.validation
    small = shrink(session.model, channels=kept.channels, side=kept.side)
    named = {units.layer.split(" (")[0]: units.family for units in units_of(session.model)}
    rows = layer_rows(small.layers, named)
    if all(row["kept"] == row["of"] for row in rows):
        rows.append({"table": "why", "says": _why(isinstance(session.model, RNN), bool(rows))})
    return Network(state_of(small.model), rows)


def _why(recurrent: bool, has_units: bool) -> str:
    if not has_units:
        return "Nothing could be removed here, because the network has no units that could be taken out."
    if recurrent:
        return (
            "Nothing could be removed here, because every recurrent unit is read by another one, or by the "
            "classes: single zeros leave all of them with listeners."
        )
    return (
        "Nothing could be removed here, because no unit is zero as a whole: single zeros make a network no "
        "smaller. The group lasso makes whole units zero; pruning units takes out the least of them."
    )
