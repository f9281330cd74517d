"""The architecture of a spec, checked against the catalogue and completed from it."""

from __future__ import annotations

from core.catalogue import completed_params, look_up
from core.models.catalogue import ARCHITECTURES
from core.run.errors import SpecError
from core.run.spec import MAX_PARAMETERS, ModelSpec


def completed_model(spec: ModelSpec, *, channels: int, side: int, num_classes: int) -> ModelSpec:
    """``spec`` with its defaults filled in, known to fit images (channels, side, side).

    Raises:
        SpecError: an unknown architecture or parameter, a value out of bounds or one that does not
            fit these images, or more than `MAX_PARAMETERS` parameters.
    """
    entry = look_up(ARCHITECTURES, spec.arch, "model.arch", "architecture")
    params = completed_params(entry, spec.params, "model.params")
    entry.check_fit(params, side)
    count = entry.count_parameters(params, channels, side, num_classes)
    if count > MAX_PARAMETERS:
        raise SpecError(
            "model.params",
            f"this network would have {count:,} parameters; at most {MAX_PARAMETERS:,} are allowed: "
            "make it narrower or less deep.",
        )
    # Lists, as JSON has no tuples: a spec equals what its own JSON reads back as.
    listed = {name: list(v) if isinstance(v, tuple) else v for name, v in params.items()}
    return spec.model_copy(update={"params": listed})
