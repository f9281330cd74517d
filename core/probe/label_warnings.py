"""Which operations of a pipeline may change what the label should be, as the catalogue declares it."""

from __future__ import annotations

from core.augment.catalogue import OPERATIONS
from core.augment.entry import OpEntry
from core.augment.ops.mixes import MIXES, MixEntry
from core.run.spec import AugmentSpec


def label_warnings(spec: AugmentSpec) -> list[tuple[str, str]]:
    """Title and warning of each operation that is switched on, and of the mix, where the catalogue warns."""
    entries: list[OpEntry | MixEntry]
    entries = [OPERATIONS[op.op] for op in spec.ops if op.enabled]
    if spec.mix is not None:
        entries.append(MIXES[spec.mix.op])
    return list(dict.fromkeys((entry.title, entry.can_lie) for entry in entries if entry.can_lie))
