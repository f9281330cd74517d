"""Everything one run needs, made from its spec and put on its device."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.augment.mixing import Mixer
from core.augment.pipeline import Pipeline
from core.data.catalogue import load_dataset
from core.data.dataset import Dataset
from core.data.split import split_dataset, split_seed
from core.data.tensors import as_tensors
from core.measure.weight_measures import WeightMeasures
from core.models.build import build_model, shape_of_model
from core.models.fit import Shapes, fit_to
from core.models.live import take_dropouts
from core.models.summary import multiply_adds
from core.optimise.build import build_optimiser
from core.randomness import derive, generator
from core.regularise.regularisation import Regularisation
from core.run.clock import Clock
from core.run.errors import SpecError
from core.run.spec import DataSpec, RunSpec, TrainSpec
from core.train.alone import Alone

LISTEN_SECONDS = 0.05  # how soon a stop is heard while data load


def no_check() -> None:
    """What a session without a control asks between two pieces of work."""


@dataclass(slots=True)
class Session:
    """A run's parts. Images are uint8 on the device; `batch` and `normalised` make them a network's input.

    Attributes:
        places: (N,) of the validation images in the whole dataset.
        spec: as it is now, after the edits so far.
        together: who trains: this process alone, or several that share each batch.
        check: called between two pieces of work that is no training; raises `StoppedError` to end it.
    """

    spec: RunSpec
    device: torch.device
    train: Dataset[Tensor]
    validation: Dataset[Tensor]
    places: Tensor
    mean: Tensor  # (C, 1, 1), of the training part, in [0, 1]
    std: Tensor  # (C, 1, 1)
    pipeline: Pipeline | None
    mixer: Mixer | None
    clock: Clock
    model: nn.Module
    together: Alone
    regularisation: Regularisation
    optimiser: torch.optim.Optimizer
    weight_measures: WeightMeasures
    multiply_adds: int  # of one image's forward pass
    check: Callable[[], None] = no_check

    def change(self, spec: RunSpec) -> None:
        """From the next batch on, train by ``spec``: completed, and different only where an edit may be.
        Another batch size waits for the next epoch, see `begin_epoch`."""
        self.together.tell({"spec": spec.model_dump(mode="json")})
        before, self.spec = self.spec, spec
        self.clock = self.clock.with_epochs(spec.train.epochs)
        channels, side = self.train.channels, self.train.side
        if spec.model != before.model:
            shape = {"channels": channels, "side": side, "num_classes": len(self.train.classes)}
            take_dropouts(self.model, shape_of_model(spec.model, **shape))
        if spec.augment != before.augment:
            self.pipeline = _pipeline(spec, channels, side, self.device)
            self.mixer = _mixer(spec, channels, side, self.device)
        self.regularisation.change(spec.regularisers)

    def begin_epoch(self, epoch: int) -> None:
        """Before the first batch of epoch ``epoch``, from 1: the spec's batch size comes into force."""
        self.together.tell({"begin": epoch})
        self.clock = self.clock.at_epoch(epoch - 1, self.spec.train.batch_size)

    def augmented(self, index: Tensor, step: int, rows: Tensor | None = None) -> Tensor:
        """Training images ``index`` as float (B, C, S, S) in [0, 1], after step ``step``'s operations.

        Args:
            rows: (M,) places in the batch: only these images of it, with what is drawn for them in the whole.
        """
        if rows is None:
            images = self.train.images[index].float().div_(255)
            return self.pipeline(images, step) if self.pipeline else images
        images = self.train.images[index[rows.to(index.device)]].float().div_(255)
        if self.pipeline is None:
            return images
        return self.pipeline.apply(images, self.pipeline.draw(len(index), step, rows=rows))

    def batch(self, index: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """What step ``step`` trains on: `augmented` images, mixed if the spec says so, and their targets:
        labels (B,), or with a mix the share of each class, float (B, num_classes). Where several processes
        share a batch, those of this one; images without a target come last, and count nothing."""
        size = len(index)
        own, labels = self.together.rows(size), self.train.labels[index]
        if self.mixer is None:
            return self.augmented(index, step, own), self.together.targets(labels, size)
        draws = self.mixer.draw(size, step)
        targets = self.together.targets(self.mixer.targets(labels, len(self.train.classes), draws), size)
        if own is None:
            return self.mixer.apply(self.augmented(index, step), draws), targets
        rows, few = draws.only(own)
        return self.mixer.apply(self.augmented(index, step, rows), few)[: len(own)], targets

    def labels_in_words(self, index: Tensor, step: int) -> list[str]:
        """The images' classes, and of what each was mixed: ``3``, or ``3 0.70 + 8 0.30``."""
        names = [self.train.classes[label] for label in self.train.labels[index].tolist()]
        if self.mixer is None:
            return names
        draws = self.mixer.draw(len(index), step)  # the same that `batch` drew
        return [draws.describe(i).in_words(names) for i in range(len(names))]

    def normalised(self, images: Tensor) -> Tensor:
        """Float images in [0, 1] as a network's input; ``channels_last`` is what convolutions like."""
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def autocast(self) -> torch.autocast:
        """bfloat16 where the spec asks for it; nothing otherwise."""
        enabled = self.spec.train.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)


def epoch_order(spec: RunSpec, num_images: int, epoch: int) -> Tensor:
    """The order (num_images,) in which epoch ``epoch``, from 1, goes through the training images."""
    return torch.randperm(num_images, generator=generator(derive(spec.seed_of("order"), "order", epoch)))


def device_of(spec: TrainSpec) -> torch.device:
    """The device a run trains on; ``auto`` is a CUDA device if there is one."""
    has_cuda = torch.cuda.is_available()
    if spec.device == "cuda" and not has_cuda:
        raise SpecError("train.device", "this machine has no CUDA device; choose 'auto' or 'cpu'.")
    device = torch.device("cuda" if has_cuda and spec.device != "cpu" else "cpu")
    if spec.precision == "bfloat16" and device.type == "cpu":
        raise SpecError("train.precision", "bfloat16 halves the speed on a CPU; choose 'float32' here.")
    return device


def open_session(
    spec: RunSpec, check: Callable[[], None] = no_check, shapes: Shapes | None = None
) -> Session:
    """Load the data, build the network, the pipeline, the regularisers and the optimiser.

    Args:
        spec: completed by `core.catalogues.completed`.
        check: raises `StoppedError` if the run was asked to stop; also called while data load.
        shapes: of the weights that will be put into the network, which may be smaller than the spec's; None:
            it keeps those it begins with.

    Raises:
        SpecError: the data can't be read, or a part does not fit the data, or weights of these shapes the
            network.
    """
    device = device_of(spec.train)
    split = split_dataset(_load(spec.data, check), spec.data, split_seed(spec))
    channels, side, num_classes = split.train.channels, split.train.side, len(split.train.classes)
    shape = {"channels": channels, "side": side, "num_classes": num_classes}
    model = build_model(spec.model, **shape, seed=derive(spec.seed_of("weights"), "weights"))
    if shapes is not None:
        fit_to(model, shapes, channels=channels, side=side)
    model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    num_multiply_adds = multiply_adds(model, channels=channels, side=side)
    weight_measures = WeightMeasures(model)
    weights = [part for parts in weight_measures.layers.values() for part in parts]
    known = {id(part) for part in weights}
    others = [part for part in model.parameters() if id(part) not in known]
    regularisation = Regularisation(spec.regularisers, model)
    return Session(
        spec=spec,
        device=device,
        train=as_tensors(split.train, device),
        validation=as_tensors(split.validation, device),
        places=split.places,
        mean=torch.tensor(split.mean, device=device).view(-1, 1, 1),
        std=torch.tensor(split.std, device=device).view(-1, 1, 1),
        pipeline=_pipeline(spec, channels, side, device),
        mixer=_mixer(spec, channels, side, device),
        clock=Clock(len(split.train.labels), spec.train.batch_size, spec.train.epochs),
        model=model,
        together=Alone(model),
        regularisation=regularisation,
        optimiser=build_optimiser(spec.optimiser, weights, [*others, *regularisation.own_parameters()]),
        weight_measures=weight_measures,
        multiply_adds=num_multiply_adds,
        check=check,
    )


def _load(spec: DataSpec, check: Callable[[], None]) -> Dataset:
    """The data, loaded in a thread of its own: a stop does not wait for it, and its result is dropped."""
    if check is no_check:
        return load_dataset(spec)
    loaded: queue.SimpleQueue[Dataset | Exception] = queue.SimpleQueue()

    def load() -> None:
        try:
            loaded.put(load_dataset(spec))
        except Exception as error:
            loaded.put(error)

    threading.Thread(target=load, name="data", daemon=True).start()
    while True:
        check()
        try:
            found = loaded.get(timeout=LISTEN_SECONDS)
        except queue.Empty:
            continue
        if isinstance(found, Exception):
            raise found
        return found


def _pipeline(spec: RunSpec, channels: int, side: int, device: torch.device) -> Pipeline | None:
    if not any(op.enabled for op in spec.augment.ops):
        return None
    return Pipeline(spec.augment, channels=channels, side=side, seed=spec.seed_of("augment"), device=device)


def _mixer(spec: RunSpec, channels: int, side: int, device: torch.device) -> Mixer | None:
    if spec.augment.mix is None:
        return None
    return Mixer(
        spec.augment.mix,
        channels=channels,
        side=side,
        seed=spec.seed_of("augment"),
        device=device,
        strength=spec.augment.strength,
    )
