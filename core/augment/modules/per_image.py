"""Kornia's automatic policies with a pick for each image, as in the papers; Kornia picks once for a batch.

Kornia draws for every operation of a policy, and each then runs on those images that picked it.
"""

from __future__ import annotations

from typing import Any

import torch
from kornia.augmentation import auto
from kornia.augmentation.auto.operations import ops
from kornia.augmentation.auto.trivial_augment.trivial_augment import default_policy
from torch import Tensor, nn

from core.augment.modules.policy_kinds import KINDS, of_kind


class PolicyPerImage(nn.Module):
    """One of Kornia's policies, with a pick for each image.

    What it draws: ``kind`` (B, steps), which of `KINDS` runs on an image at each step, −1 for none;
    ``place`` (B, steps), which of the policy's operations of that kind; and what Kornia drew for the
    operations of each kind, as ``Kind.name`` (B, operations of the kind, …). What is taken of that for a
    few images also has ``in_company`` (B, steps): whether the whole batch had others of that kind.

    Args:
        policy: a `PolicyAugmentBase` of Kornia's; its sub-policies have as many operations each.
        picks: how many different sub-policies run on an image.
        p: the probability of each image.
    """

    def __init__(self, policy: Any, picks: int, p: float) -> None:
        super().__init__()
        # Kornia's own hook for which sub-policies it draws for: here all, and `_path` picks.
        policy.get_forward_sequence = lambda params=None: policy.named_children()
        self.policy, self.picks, self.p = policy, picks, p
        self.flags: dict[str, Any] = {}  # settings that are not drawn, as all of Kornia's operations have
        self.operations = [operation for part in policy for operation in part]
        kinds = [KINDS.index(type(operation).__name__) for operation in self.operations]
        self.kinds = torch.tensor(kinds)
        self.places = torch.tensor([kinds[:i].count(kind) for i, kind in enumerate(kinds)])

    def forward_parameters(self, batch_shape: torch.Size) -> dict[str, Tensor]:
        fired = torch.rand(batch_shape[0]) < self.p
        path = self._path(batch_shape)
        items = [item.data for part in self.policy.forward_parameters(batch_shape) for item in part.data]
        gates = torch.stack([item["batch_prob"] for item in items], 1) > 0.5  # (B, all operations)
        runs = fired.unsqueeze(1) & gates.gather(1, path)
        drawn: dict[str, list[Tensor]] = {}
        for operation, item in zip(self.operations, items, strict=True):
            for name, value in item.items():
                if name not in ("batch_prob", "forward_input_shape"):
                    drawn.setdefault(f"{type(operation).__name__}.{name}", []).append(value)
        return {
            "batch_prob": fired.float(),
            "kind": self.kinds[path].where(runs, -1),
            "place": self.places[path],
            **{name: torch.stack(values, 1) for name, values in drawn.items()},
        }

    def _path(self, batch_shape: torch.Size) -> Tensor:
        """Which of all operations each image meets, in order: (B, steps)."""
        parts = [list(part) for part in self.policy]
        usable = [i for i, part in enumerate(parts) if batch_shape[1] == 3 or not _changes_colour(part)]
        order = torch.rand(batch_shape[0], len(usable)).argsort(1)[:, : self.picks]
        steps = torch.arange(len(parts[0]))
        return (torch.tensor(usable)[order].unsqueeze(2) * len(steps) + steps).flatten(1)

    def forward(self, images: Tensor, params: dict[str, Tensor]) -> Tensor:
        modules = {type(operation).__name__: operation for operation in self.operations}
        images = images.clone()
        for step, (kinds, places) in enumerate(zip(params["kind"].T, params["place"].T, strict=True)):
            for kind in kinds[kinds >= 0].unique().tolist():
                rows = (kinds == kind).nonzero().squeeze(1)
                if len(rows) == 1 and "in_company" in params and params["in_company"][rows[0], step]:
                    rows = rows.repeat(2)  # torch convolves a single image another way
                own = {name: value[rows, places[rows]] for name, value in of_kind(params, kind).items()}
                own["batch_prob"] = torch.ones(len(rows))
                there = rows.to(images.device)
                images[there] = modules[KINDS[kind]](images[there], own)
        return images


def _changes_colour(part: list[nn.Module]) -> bool:
    return any(isinstance(operation, ops.Saturate | ops.Hue | ops.Gray) for operation in part)


class TrivialAugmentPerImage(PolicyPerImage):
    """One of Kornia's TrivialAugment for each image.

    Kornia's own posterising leaves 0 to 3 of the bits of a value, where 0 is black; the paper's 2 to 8.
    """

    def __init__(self, p: float) -> None:
        parts: list[Any] = [part for part in default_policy if part[0][0] != "posterize"]
        super().__init__(auto.TrivialAugment([*parts, [("posterize", 2.0, 8.0)]]), 1, p)


class RandAugmentPerImage(PolicyPerImage):
    """``n`` of Kornia's RandAugment for each image, at the strength ``m`` of 30."""

    def __init__(self, n: int, m: int, p: float) -> None:
        super().__init__(auto.RandAugment(n, m), n, p)


class AutoAugmentPerImage(PolicyPerImage):
    """One pair of Kornia's AutoAugment for each image."""

    def __init__(self, policy: str, p: float) -> None:
        super().__init__(auto.AutoAugment(policy), 1, p)
