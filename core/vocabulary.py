"""All that can be chosen, together: the catalogues as one listing, and a spec checked against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core import augment, data, models, optimisers, regularise
from core.catalogue import Entry, as_json, look_up
from core.catalogue import complete as check_params
from core.errors import SpecError
from core.spec import RunSpec


def complete(spec: RunSpec) -> RunSpec:
    """``spec`` checked against every catalogue, with what was left out filled in.

    For a person's own images the number of classes is not known before they are loaded; the engine
    then checks the network once more.

    Raises:
        SpecError: something is unknown, out of bounds, or does not go together.
    """
    data.check(spec.data)
    if spec.augment.mix is not None and spec.train.batch_size == 1:
        raise SpecError(
            "train.batch_size",
            f"{spec.augment.mix.op} mixes the images of a batch, and a batch of 1 has no two; "
            "choose 2 or more, or train without a mix.",
        )
    shape = data.shape(spec.data)
    return spec.model_copy(
        update={
            "augment": augment.check(spec.augment, shape.channels),
            "model": models.check(
                spec.model, channels=shape.channels, side=shape.side, num_classes=shape.num_classes
            ),
            "regularisers": regularise.check(spec.regularisers),
            "optimiser": optimisers.check(spec.optimiser),
        }
    )


def bounded(spec: RunSpec) -> RunSpec:
    """``spec`` as it is, if each of its names is in a catalogue and each value in its bounds.

    It may still not go together: colour operations on grey images, patches that don't divide a side.
    A form can show such a spec, and say what is wrong with it.

    Raises:
        SpecError: an unknown name, or a value out of bounds.
    """
    look_up(data.CATALOGUE, spec.data.name, "data.name", "dataset")
    augment.check_names(spec.augment)
    architecture = look_up(models.CATALOGUE, spec.model.arch, "model.arch", "architecture")
    check_params(architecture, spec.model.params, "model.params")
    regularise.check(spec.regularisers)
    optimisers.check(spec.optimiser)
    return spec


def listing() -> dict[str, list[dict[str, Any]]]:
    """Every entry of every catalogue, as JSON values."""
    catalogues: dict[str, Mapping[str, Entry]] = {
        "datasets": data.CATALOGUE,
        "operations": augment.CATALOGUE,
        "mixes": augment.MIXES,
        "architectures": models.CATALOGUE,
        "dropouts": models.DROPOUTS,
        "regularisers": regularise.CATALOGUE,
        "measures": regularise.MEASURES,
        "optimisers": optimisers.CATALOGUE,
        "schedules": optimisers.SCHEDULES,
    }
    return {noun: [as_json(entry) for entry in entries.values()] for noun, entries in catalogues.items()}
