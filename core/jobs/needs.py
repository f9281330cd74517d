"""How much memory a run will need, from its spec alone: roughly, for nothing is built.

The estimate was 0.9 to 1.5 times what runs and jobs held at most; `tests/jobs/test_needs.py` has them.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.catalogue import completed_params, look_up
from core.data.catalogue import DATASETS
from core.data.shape import Shape, image_shape
from core.models.catalogue import ARCHITECTURES
from core.run.errors import SpecError
from core.run.spec import RunSpec

WORKER_BYTES = int(0.45 * 2**30)  # a worker that is warm
FLOAT_BYTES = 4
PER_PARAMETER = 10  # the weight, its gradient, two moments, an average, and copies while they are saved
PER_ASKED = 6  # of a network that is only asked: the weight, what was read, copies, and scores of it
PER_PIXEL = 12  # a batch before, between and after its operations, and normalised
PER_ACTIVATION = 2  # itself, and its gradient
EVALUATION_BATCH = 512  # images, as `core.train.evaluation` has it; nothing is kept for a gradient
OWN_IMAGES = 10_000  # how many a person's own are taken to be


def needed_bytes(spec: RunSpec, sources: Sequence[RunSpec] = ()) -> int:
    """What the processes that train will hold at most.

    Args:
        sources: of a network that is made of others, what those were trained by: they are open beside it.

    Raises:
        SpecError: there is no such network or set of images.
    """
    return _trained(spec) + sum(_asked(each) for each in sources)


def _asked(spec: RunSpec) -> int:
    """A network that is only asked, with its images; a batch of activations goes when the next is asked."""
    shape = image_shape(spec.data)
    images = look_up(DATASETS, spec.data.name, "data.name", "dataset").num_images or OWN_IMAGES
    _, parameters = _network(spec, shape)
    return images * shape.channels * shape.side**2 + FLOAT_BYTES * PER_ASKED * parameters


def _trained(spec: RunSpec) -> int:
    shape = image_shape(spec.data)
    pixels = shape.channels * shape.side**2
    images = look_up(DATASETS, spec.data.name, "data.name", "dataset").num_images or OWN_IMAGES
    processes = spec.train.processes
    held = processes * (WORKER_BYTES + images * pixels)
    if spec.train.device == "cuda":  # the rest lies in the device's own memory
        return held
    activations, parameters = _network(spec, shape)
    part = -(-spec.train.batch_size // processes)
    judged = max(part, EVALUATION_BATCH // PER_ACTIVATION)  # by the first of them
    batch = judged + (processes - 1) * part
    floats = batch * PER_PIXEL * pixels + batch * PER_ACTIVATION * activations
    return held + FLOAT_BYTES * (processes * PER_PARAMETER * parameters + floats)


def _network(spec: RunSpec, shape: Shape) -> tuple[int, int]:
    """The numbers that a network keeps of an image until the gradient has passed, and its parameters."""
    entry = look_up(ARCHITECTURES, spec.model.arch, "model.arch", "architecture")
    params = completed_params(entry, spec.model.params, "model.params")
    channels, side, classes = shape
    return (
        entry.count_activations(params, channels, side),
        entry.count_parameters(params, channels, side, classes),
    )


def check_fits(spec: RunSpec, most_bytes: int, sources: Sequence[RunSpec] = ()) -> None:
    """Whether a run will ever fit.

    Args:
        sources: as `needed_bytes` has them.

    Raises:
        SpecError: it needs more than ``most_bytes``.
    """
    needed = needed_bytes(spec, sources)
    if needed > most_bytes:
        fewer = ", fewer networks" if len(sources) > 1 else ""
        raise SpecError(
            "",
            f"This run would need about {gib(needed)} of memory, and a run may have {gib(most_bytes)} here; "
            f"try a smaller batch, smaller images{fewer} or a narrower network.",
        )


def gib(count: int) -> str:
    """E.g. ``2.1 GiB``."""
    return f"{count / 2**30:.1f} GiB"
