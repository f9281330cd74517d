"""Automatic policies: one entry picks among many operations, and how strong they are.

The papers pick anew for each image; Kornia picks once for a batch. Here each image gets a pick of its
own: Kornia draws for every operation of the policy, and each then runs on those images that picked it.
Measured on 128 images of 1×28×28, drawing included (milliseconds of one core, Kornia's pick for the batch
in brackets): TrivialAugment 10 (3), RandAugment with two operations 24 (4), AutoAugment 14 (4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from kornia.augmentation import auto
from kornia.augmentation.auto.operations import ops
from kornia.augmentation.auto.trivial_augment.trivial_augment import default_policy
from torch import Tensor, nn

from core.augment.entry import Describe, Drawn, OpEntry, Values, scalar
from core.augment.ops.geometry import turn
from core.catalogue import Choice, Number

KINDS = tuple(ops.__all__)  # Kornia's names for the operations that policies are made of


class EachImage(nn.Module):
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
                own = {name: value[rows, places[rows]] for name, value in _of_kind(params, kind).items()}
                own["batch_prob"] = torch.ones(len(rows))
                there = rows.to(images.device)
                images[there] = modules[KINDS[kind]](images[there], own)
        return images


def _changes_colour(part: list[nn.Module]) -> bool:
    return any(isinstance(operation, ops.Saturate | ops.Hue | ops.Gray) for operation in part)


def _of_kind(drawn: Mapping[str, Tensor], kind: int) -> dict[str, Tensor]:
    """What was drawn for the operations of one kind, by Kornia's own names."""
    start = f"{KINDS[kind]}."
    return {name.removeprefix(start): value for name, value in drawn.items() if name.startswith(start)}


def _plainly(label: str) -> Describe:
    return lambda drawn, i: ((label, "yes"),)


def _describe_turn(drawn: Drawn, i: int) -> Values:
    angle = float(drawn["degrees"][i])
    return (("rotation", turn(angle, angle > 0)),)


def _describe_levels(drawn: Drawn, i: int) -> Values:
    return (("posterise", f"{2 ** int(drawn['bits_factor'][i])} levels"),)


SHOWN: dict[str, Describe] = {
    "AutoContrast": _plainly("auto-contrast"),
    "Equalize": _plainly("equalise"),
    "Invert": _plainly("invert"),
    "Rotate": _describe_turn,
    "Posterize": _describe_levels,
    "Solarize": scalar("solarise above", "thresholds"),
    "SolarizeAdd": scalar("solarise, added", "additions", sign=True),
    "Saturate": scalar("saturation", "saturation_factor", before="×"),
    "Contrast": scalar("contrast", "contrast_factor", before="×"),
    "Brightness": scalar("brightness", "brightness_factor", minus=1.0, sign=True),
    "Sharpness": scalar("sharpness", "sharpness"),
    "ShearX": scalar("shear across", "shear_x", digits=1, unit="°", sign=True),
    "ShearY": scalar("shear down", "shear_y", digits=1, unit="°", sign=True),
    "TranslateX": scalar("shift right", "translate_x", digits=1, unit=" px", sign=True),
    "TranslateY": scalar("shift down", "translate_y", digits=1, unit=" px", sign=True),
}


def describe_picks(drawn: Drawn, i: int) -> Values:
    """Each operation that ran on image ``i``, in order, and how strong it was."""
    shown: Values = ()
    for kind, place in zip(drawn["kind"][i].tolist(), drawn["place"][i].tolist(), strict=True):
        if kind >= 0:
            own = {name: value[:, place] for name, value in _of_kind(drawn, kind).items()}
            shown += SHOWN[KINDS[kind]](own, i)
    return shown or (("operations", "none this time"),)


def _trivial(values: Mapping[str, Any], p: float, side: int) -> Any:  # a policy is no AugmentationBase2D
    # Kornia's own leaves 0 to 3 of the bits of a value, the paper's 2 to 8; and 0 is black.
    parts: list[Any] = [part for part in default_policy if part[0][0] != "posterize"]
    return EachImage(auto.TrivialAugment([*parts, [("posterize", 2.0, 8.0)]]), 1, p)


def _rand(values: Mapping[str, Any], p: float, side: int) -> Any:
    return EachImage(auto.RandAugment(values["n"], values["m"]), values["n"], p)


def _auto(values: Mapping[str, Any], p: float, side: int) -> Any:
    return EachImage(auto.AutoAugment(values["policy"]), 1, p)


_LIES = "It turns by up to 30°, inverts, and shifts: an arrow may point elsewhere, a digit leave the view."

POLICIES = (
    OpEntry(
        name="TrivialAugment",
        title="TrivialAugment",
        help="One of twelve operations for each image, at a strength drawn anew; there is nothing to tune.",
        source="kornia.augmentation.auto.TrivialAugment; Müller & Hutter 2021, arXiv:2103.10158",
        group="policy",
        build=_trivial,
        describe=describe_picks,
        fits="Photographs, as the first thing to try: as good as policies that were searched for.",
        can_lie="It shifts by up to half the side and darkens to black: a small subject may be gone.",
        default_p=1.0,
    ),
    OpEntry(
        name="RandAugment",
        title="RandAugment",
        help="A few of fifteen operations for each image, all at one strength; on grey images of fourteen, "
        "without saturation.",
        source="kornia.augmentation.auto.RandAugment; Cubuk et al. 2019, arXiv:1909.13719",
        group="policy",
        parameters=(
            Number("n", 2, 1, 6, "How many operations, one after the other.", "operations", 1, True),
            Number(
                "m", 10, 1, 29, "How strong; contrast and its like are untouched at 15.", "of 30", 1, True
            ),
        ),
        build=_rand,
        describe=describe_picks,
        fits="Large photographic sets; two numbers to tune instead of a pipeline.",
        can_lie=_LIES,
        default_p=1.0,
    ),
    OpEntry(
        name="AutoAugment",
        title="AutoAugment",
        help="One of 25 pairs of operations for each image, found by a search on a known set; on grey images "
        "the pairs that change saturation are left out.",
        source="kornia.augmentation.auto.AutoAugment; Cubuk et al. 2018, arXiv:1805.09501",
        group="policy",
        parameters=(
            Choice(
                "policy",
                "imagenet",
                ("imagenet", "cifar10", "svhn"),
                "On which set it was found: photographs, small photographs, or house numbers.",
            ),
        ),
        build=_auto,
        describe=describe_picks,
        fits="Sets that resemble the one it was found on.",
        can_lie=_LIES,
        default_p=1.0,
    ),
)
