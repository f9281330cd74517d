"""Two loops to measure ours against, each alone in its own process.

    python -m core.bench.loops bare|usual SPEC.json

`bare`: what a careful person would write for the same model, data and augmentation: tensors on the
device, fused optimiser, channels last, Kornia's own modules on whole batches, and nothing else: no
events, no control, no measures. `usual`: the tutorial's way, a `Dataset` whose ``__getitem__``
transforms one image (with the same Kornia modules; there is no torchvision here), a `DataLoader` with
one worker a core, default memory format. Both evaluate after every epoch, as ours does.

Prints ``{"images_per_second": …}``: training images over all wall-clock time from the first step to
the last evaluation.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from core.augment.catalogue import OPERATIONS
from core.augment.pipeline import built
from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.data.dataset import Dataset
from core.data.split import Split, split_dataset
from core.models.build import build_model
from core.run.spec import RunSpec, parse
from core.runtime import prepare_torch, thread_count
from core.train.session import device_of


def bare(spec: RunSpec) -> float:
    """Images a second of a loop with nothing around it."""
    device = device_of(spec.train)
    split, model, transforms = _parts(spec)
    model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(model.parameters(), _rate(spec), fused=True)
    images, labels = split.train.images.to(device), split.train.labels.to(device)
    mean, std = _statistics(split, device)
    began = time.perf_counter()
    for _ in range(spec.train.epochs):
        for index in torch.randperm(len(labels), device=device).split(spec.train.batch_size):
            batch = images[index].float().div_(255)
            with torch.no_grad():
                for transform in transforms:
                    batch = transform(batch)
            batch = ((batch - mean) / std).contiguous(memory_format=torch.channels_last)
            loss = cross_entropy(model(batch), labels[index])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        _evaluate(model, split.validation, mean, std, torch.channels_last)
    return spec.train.epochs * len(labels) / (time.perf_counter() - began)


class _Images(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """One image at a time, transformed as it is asked for."""

    def __init__(self, split: Split, transforms: list[nn.Module]) -> None:
        self.split, self.transforms = split, transforms
        self.mean, self.std = _statistics(split, torch.device("cpu"))

    def __len__(self) -> int:
        return len(self.split.train.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        image = self.split.train.images[i].float().div(255)[None]  # (1, C, S, S): Kornia takes batches
        for transform in self.transforms:
            image = transform(image)
        return ((image - self.mean) / self.std)[0], int(self.split.train.labels[i])


def usual(spec: RunSpec) -> float:
    """Images a second of the tutorial's loop."""
    device = device_of(spec.train)
    split, model, transforms = _parts(spec)
    model = model.to(device)
    optimiser = torch.optim.Adam(model.parameters(), _rate(spec))
    loader = DataLoader(
        _Images(split, transforms),
        spec.train.batch_size,
        shuffle=True,
        num_workers=thread_count(),
        persistent_workers=True,
    )
    mean, std = _statistics(split, device)
    iter(loader)  # starts the workers: their start is not the loop's
    began = time.perf_counter()
    for _ in range(spec.train.epochs):
        model.train()
        for batch, labels in loader:
            loss = cross_entropy(model(batch.to(device)), labels.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        _evaluate(model, split.validation, mean, std, torch.contiguous_format)
    return spec.train.epochs * len(split.train.labels) / (time.perf_counter() - began)


def _parts(spec: RunSpec) -> tuple[Split, nn.Module, list[nn.Module]]:
    split = split_dataset(load_dataset(spec.data), spec.data, spec.seed)
    shape = {
        "channels": split.train.channels,
        "side": split.train.side,
        "num_classes": len(split.train.classes),
    }
    transforms: list[nn.Module] = [
        built(OPERATIONS[op.op], op.params, op.p or 0.0, split.train.side) for op in spec.augment.ops
    ]
    return split, build_model(spec.model, **shape, seed=spec.seed), transforms


def _rate(spec: RunSpec) -> float:
    assert spec.optimiser.lr is not None
    return spec.optimiser.lr


def _statistics(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    return (
        torch.tensor(split.mean, device=device).view(-1, 1, 1),
        torch.tensor(split.std, device=device).view(-1, 1, 1),
    )


def _evaluate(model: nn.Module, images: Dataset, mean: Tensor, std: Tensor, format: Any) -> float:
    model.eval()
    right = 0
    with torch.inference_mode():
        for batch, labels in zip(images.images.split(512), images.labels.split(512), strict=True):
            inputs = batch.to(mean.device).float().div_(255).sub_(mean).div_(std)
            logits = model(inputs.contiguous(memory_format=format))
            right += int((logits.argmax(1) == labels.to(mean.device)).sum())
    model.train()
    return right / len(images.labels)


if __name__ == "__main__":
    prepare_torch()
    loop, path = sys.argv[1:]
    chosen = completed(parse(Path(path).read_text(encoding="utf-8")))
    print(json.dumps({"images_per_second": {"bare": bare, "usual": usual}[loop](chosen)}))
