"""The augmentation part of a run's script: the operations, and what makes a batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.augment.catalogue import OPERATIONS
from core.augment.export.embedding import Script
from core.augment.export.literals import Name
from core.augment.export.python import operation_call
from core.augment.ops.mixes import MIXES
from core.augment.warp_groups import warp_groups
from core.run.spec import AugmentSpec

PARTS = "core.augment.export.script."


class Augmentation(NamedTuple):
    """What a script needs to augment as a run does.

    Args:
        settings: for each spec the values of the script's names, `Call`s among them; ``{}`` where a run never
            augments.
        before: code of ours, before those names; ``after``: after them.
        lines: the body of ``batch``, from ``images`` and ``labels`` to the same, augmented.
    """

    settings: list[dict[str, Any]]
    before: list[str]
    after: list[str]
    lines: list[str]


def augmentation(script: Script, specs: Sequence[AugmentSpec], side: int) -> Augmentation:
    """For a run whose augmentation was each of ``specs``, completed, in turn."""
    settings = [_settings(script, spec, side) for spec in specs]
    lines, parts = [], []
    if any(each["OPERATIONS"] for each in settings):
        parts.append("draw")
        running = "OPERATIONS"
        if any(spec.choose is not None for spec in specs):
            parts.append("choose")
            running = "chosen(step)"
        if any(len(each["GROUPS"]) < len(each["OPERATIONS"]) for each in settings):
            parts.append("warps")
            lines += [
                f"ops = {running}.items()",
                "drawn = {name: (op, draw(name, op, images.shape, step)) for name, op in ops}",
                "for group in GROUPS:",
                "    images = run([drawn[name] for name in group if name in drawn], images)",
            ]
        else:
            lines += [
                f"for name, operation in {running}.items():",
                "    drawn = draw(name, operation, images.shape, step)",
                "    images = operation(images, params=drawn).clamp(0, 1)",
            ]
    if any(spec.mix is not None for spec in specs):
        entry = MIXES[next(spec.mix.op for spec in specs if spec.mix is not None)]
        module, _, function = entry.shares.partition(":")
        script.embed(module, function)
        lines.append("images, labels = mix(images, labels, len(CLASSES), step)")
        parts.append("mix")
        for each in settings:
            each |= {"MIX_NAME": f"{entry.name}/mix", "find_shares": Name(function)}
    before = script.take()
    for part in parts:
        script.embed(PARTS + part)
    used = {"OPERATIONS"} if "draw" in parts else set()
    used |= {"GROUPS"} if "warps" in parts else set()
    used |= {"CHOOSE"} if "choose" in parts else set()
    used |= {"MIX", "MIX_NAME", "find_shares"} if "mix" in parts else set()
    kept = [{name: value for name, value in each.items() if name in used} for each in settings]
    return Augmentation(kept, before, script.take(), lines)


def _settings(script: Script, spec: AugmentSpec, side: int) -> dict[str, Any]:
    enabled = [op for op in spec.ops if op.enabled]
    operations = {
        f"{op.op}/{op.stream}": operation_call(script, OPERATIONS[op.op], op, spec, side) for op in enabled
    }
    names = list(operations)
    return {
        "OPERATIONS": operations,
        "GROUPS": [[names[i] for i in group] for group in warp_groups(spec)],
        "CHOOSE": len(operations) if spec.choose is None else spec.choose,
        "MIX": None if spec.mix is None else operation_call(script, MIXES[spec.mix.op], spec.mix, spec, side),
    }
