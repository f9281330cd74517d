"""What the interactive worker can be asked: a kind, the arguments it takes, and the answer as JSON.

The arguments come from pages of our own, built from what visitors chose; each is bounded here once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
from pydantic import Base64Bytes, Field
from torch import Tensor

from core.augment.draws import DrawnOp
from core.data.account import account_of
from core.data.split import split_places, split_seed
from core.interactive.sources import OWN, SHOWN, Images, Side, Source, dataset_of, images_of
from core.models.summary import summarise
from core.pictures import encode_images
from core.presets import FIRST_LOOK
from core.preview.annotated import moved
from core.preview.histograms import histograms
from core.preview.label_changes import examples
from core.preview.results import TooLargeError, first_batch, preview, stages
from core.preview.sweep import sweep
from core.probe.predictions import predictions
from core.run.errors import SpecError
from core.run.spec import MAX_OPS, MAX_SIDE, AugmentSpec, DataSpec, ModelSpec, Name, Part, RunSpec

IN_FIRST_BATCH = 8  # images that are shown
MOST_FRAMES = 16
MOST_SOME = 64  # images of a dataset at once
IN_EACH_CLASS = 4  # pictures that are shown of a class of a person's own …
MOST_CLASSES = 12  # … and of how many classes

Answer = dict[str, Any]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Step = Annotated[int, Field(ge=0, le=9_999)]
Place = Annotated[int, Field(ge=0, lt=MAX_OPS)]


class PipelineOnImages(Part):
    """A pipeline, the images it acts on, and which numbers are drawn."""

    augment: AugmentSpec
    source: Source
    seed: Seed
    step: Step


class OneImage(PipelineOnImages):
    image: Annotated[int, Field(ge=0, lt=SHOWN)]


class Sweep(OneImage):
    op: Place
    parameter: Name
    frames: Annotated[int, Field(ge=2, le=MOST_FRAMES)]
    whole: bool


class Targets(Part):
    augment: AugmentSpec
    side: Side
    seed: Seed
    step: Step
    transplant: bool


class LabelChanges(Part):
    augment: AugmentSpec
    data: DataSpec
    seed: Seed


class OfSource(Part):
    source: Source


class Plan(Part):
    spec: RunSpec


class OfData(Part):
    data: DataSpec


class OfRun(Part):
    """A run's network. ``version`` is the run's: one that has gone on has another network."""

    spec: RunSpec
    run_id: Annotated[str, Field(max_length=64)]
    version: Annotated[int, Field(ge=0)] = 0


class Some(Part):
    data: DataSpec
    places: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=MOST_SOME, strict=False)]


class HeldOut(Part):
    """Some of the validation images of a run of ``spec``, by their places among these."""

    spec: RunSpec
    entries: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=MOST_SOME, strict=False)]


class OwnPicture(Part):
    """A picture that a decoding worker has made of somebody's file."""

    pixels: Annotated[Base64Bytes, Field(max_length=3 * MAX_SIDE**2)]
    side: Side


def preview_answer(args: PipelineOnImages) -> Answer:
    """Every image after the pipeline: pictures, what was drawn, captions, seconds, device."""
    images = images_of(args.source)
    shown = preview(
        args.augment, images.tensor, seed=args.seed, step=args.step, images_key=args.source.model_dump_json()
    )
    return {
        "pictures": encode_images(shown.results),
        "drawn": [_drawn(each) for each in shown.drawn],
        "captions": [mixed.in_words(images.names) for mixed in shown.mixed] or list(images.names),
        "seconds": shown.seconds,
        "device": shown.device,
    }


def stages_answer(args: OneImage) -> Answer:
    """One image after each operation in turn."""
    images = images_of(args.source)
    after = stages(
        args.augment,
        images.tensor,
        seed=args.seed,
        step=args.step,
        image=args.image,
        images_key=args.source.model_dump_json(),
    )
    return {
        "pictures": _pictures(stage.image for stage in after),
        "drawn": _drawn(stage.drawn for stage in after),
    }


def histograms_answer(args: OneImage) -> Answer:
    """How often each value occurs in one image, before and after."""
    images = images_of(args.source)
    after = preview(
        args.augment, images.tensor, seed=args.seed, step=args.step, images_key=args.source.model_dump_json()
    ).results
    one = slice(args.image, args.image + 1)
    before, now = histograms(images.tensor[one].numpy(), after[one].numpy())
    return {"before": before.as_json(), "after": now.as_json()}


def sweep_answer(args: Sweep) -> Answer:
    """One image at values of one parameter over its bounds."""
    frames = sweep(
        args.augment,
        args.op,
        args.parameter,
        images_of(args.source).tensor[args.image],
        steps=args.frames,
        seed=args.seed,
        step=args.step,
        whole=args.whole,
    )
    return {
        "labels": [frame.label for frame in frames],
        "pictures": _pictures(frame.image for frame in frames),
    }


def targets_answer(args: Targets) -> Answer:
    """The annotated photographs with masks, boxes and key points moved along."""
    shown = moved(args.augment, side=args.side, seed=args.seed, step=args.step, transplant=args.transplant)
    return {
        "before": encode_images(shown.before),
        "after": encode_images(shown.after),
        "names": shown.names,
        "alts": shown.alts,
        "drawn": [_drawn(each) for each in shown.drawn],
    }


def label_changes_answer(args: LabelChanges) -> Answer:
    """Images whose label, by what it means, is another one after an operation."""
    found = examples(args.augment, dataset_of(args.data), seed=args.seed)
    return {
        "titles": [each.title for each in found],
        "before": _pictures(each.before for each in found),
        "after": _pictures(each.after for each in found),
        "labels": [each.label for each in found],
        "reads_as": [each.reads_as for each in found],
    }


def images_answer(args: OfSource) -> Answer:
    """The images as they are; of those that repeat, the first ones' pictures."""
    images: Images = images_of(args.source)
    _, channels, side, _ = images.tensor.shape
    return {
        "pictures": encode_images(images.tensor[: images.originals]),
        "names": images.names,
        "alts": images.alts,
        "channels": channels,
        "side": side,
    }


def plan_answer(args: Plan) -> Answer:
    """What a completed spec would train: the network, the first batch, what the dataset says of itself."""
    spec = args.spec
    dataset = dataset_of(spec.data)
    summary = summarise(
        spec.model, channels=dataset.channels, side=dataset.side, num_classes=len(dataset.classes)
    )
    batch, too_large = None, ""
    try:
        images, names = first_batch(spec, dataset, count=IN_FIRST_BATCH)
        batch = {"pictures": encode_images(images), "names": names}
    except TooLargeError as error:
        too_large = error.what
    return {
        "summary": asdict(summary),
        "batch": batch,
        "too_large": too_large,
        "num_images": len(dataset.labels),
    }


def account_answer(args: OfData) -> Answer:
    """What is in a person's own images, and a few of each of the first classes."""
    dataset = dataset_of(args.data)
    account = account_of(dataset, args.data)
    labels = np.asarray(dataset.labels)
    shown = {
        name: np.nonzero(labels == label)[0][:IN_EACH_CLASS]
        for label, name in enumerate(dataset.classes[:MOST_CLASSES])
    }
    return {
        **asdict(account),
        "given_split": dataset.held_out is not None,
        "pictures": {
            name: encode_images(torch.tensor(np.asarray(dataset.images)[index]))
            for name, index in shown.items()
        },
    }


def predictions_answer(args: OfRun) -> Answer:
    """What a run's network says of each validation image."""
    dataset_of(args.spec.data)  # decoded elsewhere, if it is a person's own
    return asdict(predictions(args.spec, args.run_id))


def some_answer(args: Some) -> Answer:
    """A few images of a dataset, by their places in it."""
    dataset = dataset_of(args.data)
    if any(place >= len(dataset.labels) for place in args.places):
        raise SpecError("places", "there is no such image.")
    images = np.asarray(dataset.images)[list(args.places)]
    return {"pictures": encode_images(torch.tensor(images)) if args.places else []}


def held_out_answer(args: HeldOut) -> Answer:
    """A few validation images, and what each is, as places in the list of classes."""
    data = args.spec.data
    dataset = dataset_of(data)
    places = split_places(dataset, data, split_seed(args.spec))[1].tolist()
    if any(entry >= len(places) for entry in args.entries):
        raise SpecError("entries", "there is no such validation image; these images have changed.")
    chosen = [places[entry] for entry in args.entries]
    images = np.asarray(dataset.images)[chosen]
    return {
        "pictures": encode_images(torch.tensor(images)) if chosen else [],
        "labels": [int(dataset.labels[place]) for place in chosen],
        "classes": list(dataset.classes),
    }


def remember_answer(args: OwnPicture) -> Answer:
    """Remember one of a person's own pictures; its digest stands for it."""
    pixels = np.frombuffer(args.pixels, np.uint8)
    if pixels.size != 3 * args.side**2:
        raise SpecError("pixels", "they are not those of a picture of this side.")
    return {"digest": OWN.remember(args.pixels, torch.tensor(pixels).view(3, args.side, args.side))}


A = TypeVar("A", bound=Part)


def _checked(model: type[A], answer: Callable[[A], Answer]) -> Callable[[bytes], Answer]:
    return lambda args: answer(model.model_validate_json(args))


ANSWERS: dict[str, Callable[[bytes], Answer]] = {
    "preview": _checked(PipelineOnImages, preview_answer),
    "stages": _checked(OneImage, stages_answer),
    "histograms": _checked(OneImage, histograms_answer),
    "sweep": _checked(Sweep, sweep_answer),
    "targets": _checked(Targets, targets_answer),
    "label_changes": _checked(LabelChanges, label_changes_answer),
    "images": _checked(OfSource, images_answer),
    "plan": _checked(Plan, plan_answer),
    "account": _checked(OfData, account_answer),
    "predictions": _checked(OfRun, predictions_answer),
    "some": _checked(Some, some_answer),
    "held_out": _checked(HeldOut, held_out_answer),
    "remember": _checked(OwnPicture, remember_answer),
}


def warm_up() -> Iterator[None]:
    """What is slow the first time, a step at a time: the first previews find memory that the system has yet
    to clear, and torch imports much at its first use of shapes."""
    photographs = Source(photos=224)
    for step in range(4):
        preview_answer(PipelineOnImages(augment=FIRST_LOOK.augment, source=photographs, seed=0, step=step))
        yield
        if step == 0:
            summarise(ModelSpec(), channels=1, side=28, num_classes=10)
            yield


def _drawn(ops: Iterable[DrawnOp]) -> list[Answer]:
    return [{"title": op.title, "fired": op.fired, "values": op.values} for op in ops]


def _pictures(images: Iterable[Tensor]) -> list[str]:
    images = list(images)
    return encode_images(torch.stack(images)) if images else []
