"""All that can be chosen, together: the catalogues as one listing, and a spec checked against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.augment.catalogue import OPERATIONS
from core.augment.check import check_augment_names, completed_augment
from core.augment.ops.mixes import MIXES
from core.catalogue import Entry, as_json, look_up
from core.catalogue import completed_params as check_params
from core.data.catalogue import DATASETS, check_data
from core.data.shape import image_shape
from core.measure.catalogue import MEASURES
from core.models.catalogue import ARCHITECTURES
from core.models.check import completed_model
from core.models.dropout import DROPOUTS
from core.optimise.catalogue import OPTIMISERS, SCHEDULES, completed_optimiser
from core.regularise.catalogue import REGULARISERS
from core.regularise.check import completed_regularisers
from core.run.errors import SpecError
from core.run.spec import RunSpec


def completed(spec: RunSpec) -> RunSpec:
    """``spec`` checked against every catalogue, with what was left out filled in.

    For a person's own images the number of classes is not known before they are loaded; the engine
    then checks the network once more.

    Raises:
        SpecError: something is unknown, out of bounds, or does not go together.
    """
    check_data(spec.data)
    if spec.augment.mix is not None and spec.train.batch_size == 1:
        raise SpecError(
            "train.batch_size",
            f"{spec.augment.mix.op} mixes the images of a batch, and a batch of 1 has no two; "
            "choose 2 or more, or train without a mix.",
        )
    shape = image_shape(spec.data)
    return spec.model_copy(
        update={
            "augment": completed_augment(spec.augment, shape.channels),
            "model": completed_model(
                spec.model, channels=shape.channels, side=shape.side, num_classes=shape.num_classes
            ),
            "regularisers": completed_regularisers(spec.regularisers),
            "optimiser": completed_optimiser(spec.optimiser),
        }
    )


def bounded(spec: RunSpec) -> RunSpec:
    """``spec`` as it is, if each of its names is in a catalogue and each value in its bounds.

    It may still not go together: colour operations on grey images, patches that don't divide a side.
    A form can show such a spec, and say what is wrong with it.

    Raises:
        SpecError: an unknown name, or a value out of bounds.
    """
    look_up(DATASETS, spec.data.name, "data.name", "dataset")
    check_augment_names(spec.augment)
    architecture = look_up(ARCHITECTURES, spec.model.arch, "model.arch", "architecture")
    check_params(architecture, spec.model.params, "model.params")
    completed_regularisers(spec.regularisers)
    completed_optimiser(spec.optimiser)
    return spec


def listing() -> dict[str, list[dict[str, Any]]]:
    """Every entry of every catalogue, as JSON values."""
    catalogues: dict[str, Mapping[str, Entry]] = {
        "datasets": DATASETS,
        "operations": OPERATIONS,
        "mixes": MIXES,
        "architectures": ARCHITECTURES,
        "dropouts": DROPOUTS,
        "regularisers": REGULARISERS,
        "measures": MEASURES,
        "optimisers": OPTIMISERS,
        "schedules": SCHEDULES,
    }
    return {noun: [as_json(entry) for entry in entries.values()] for noun, entries in catalogues.items()}
