"""What a run's saved network says of every image that was kept for validation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.probe.label_damage import open_trained
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.folders import here
from core.store.store import is_run_id
from core.train.session import Session

SMALL, FEW = 64, 32  # images of a larger side, in pixels, are asked about so many at a time
BATCH = 512


@dataclass(frozen=True, slots=True)
class Predictions:
    """One entry an image, in the order of the validation part.

    Args:
        classes: names, in label order.
        places: of the images in the whole dataset.
        labels, answers: indices into ``classes``: what an image is, and what the network names.
        confidence: the softmax's probability of the answer; ``chance`` that of the label.
        mean, std: what images were normalised with, a number a channel.
        channels, side: of the images.
    """

    classes: tuple[str, ...]
    places: list[int]
    labels: list[int]
    answers: list[int]
    confidence: list[float]
    chance: list[float]
    mean: list[float]
    std: list[float]
    channels: int
    side: int


@torch.inference_mode()
def predictions(spec: RunSpec, run_id: str) -> Predictions:
    """Ask the network that run ``run_id`` of ``spec`` has left.

    Raises:
        SpecError: there is no such run, or its weights or its images are gone.
    """
    if not is_run_id(run_id):
        raise SpecError("", "There is no such run.")
    session = open_trained(spec, here(run_id))
    held_out, found = session.validation, shares(session)
    most = found.max(1)
    chance = found.gather(1, held_out.labels[:, None])[:, 0]
    return Predictions(
        held_out.classes,
        session.places.tolist(),
        held_out.labels.tolist(),
        most.indices.tolist(),
        [round(share, 4) for share in most.values.tolist()],
        [round(share, 4) for share in chance.tolist()],
        session.mean.flatten().tolist(),
        session.std.flatten().tolist(),
        held_out.channels,
        held_out.side,
    )


@torch.inference_mode()
def shares(session: Session) -> Tensor:
    """The softmax's probability of each class, (N, classes), for every validation image in their order.

    Args:
        session: from `core.probe.label_damage.open_trained`.
    """
    images = session.validation.images
    batches = images.split(BATCH if session.validation.side <= SMALL else FEW)
    found = [session.model(session.normalised(each.float().div_(255))).softmax(1) for each in batches]
    return torch.cat(found)
