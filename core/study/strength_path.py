"""λ, quickly: what a few strengths of one regulariser cost and give, each from one and the same warm start.

The network is trained once for a few epochs with the regulariser at 0. Then, for each λ, that network
is copied with its optimiser's state and trained for a few epochs more at this λ, constant. So a point is
what a run gives in which λ steps in after the warm start, bit for bit, and at λ = 0 it is the plain run.

Why from one start, and not along the path, each λ from the one before, as glmnet does (Friedman, Hastie &
Tibshirani 2010, section 2.5). A lasso is convex: where one starts changes how soon one arrives, not where.
A network is not. Its later λ would have trained for longer than its earlier ones, so that the chart
would mix the two, and what one λ killed the next could not bring back: a layer of zeros has no gradient,
and every λ after the first that is too strong would look dead. From one start each point is λ's own
doing, and they can be compared: same weights, same batches in the same order, same dropout.

The optimiser's state comes along, too. A fresh Adam would divide a proximal step by the root of one batch's
squared gradient: where dropout hides a unit for that batch it is 0, and all the unit's weights go at once.

It is a quick look and not the final number. A proximal step takes a little off a weight each time, so a
whole run at the same λ ends with more zeros, and has the time to mend its accuracy.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from core.catalogues import completed
from core.regularise.catalogue import REGULARISERS
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.spec import RunSpec
from core.train.batching import batches
from core.train.divergence import DivergedError
from core.train.evaluation import evaluate, evaluation_weights
from core.train.pace import Pace
from core.train.session import Session, open_session
from core.train.step import train_step

POINTS = 8
WARM_EPOCHS, EPOCHS_EACH = 4, 3
IMAGES = 2500  # trained on at most
DECADES = 3.5  # that the strengths span: 1, 3, 10, 30, …
BELOW = 1.0  # of these decades lie below the default: a few epochs need a stronger λ than a whole run
TOLERANCE = 0.005  # of accuracy: what a good λ may cost
PROGRESS_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class PathPoint:
    """What one λ led to.

    Args:
        strength: λ.
        accuracy: share of the validation images; None where the loss stopped being a number.
        exact, near: shares of the weights that are 0.0, and with ``|w| < 1e-3``.
        groups: share of the filters, neurons and heads whose weights are all 0.0.
        seconds: that training at this λ took.
    """

    strength: float
    accuracy: float | None
    exact: float
    near: float
    groups: float
    seconds: float


@dataclass(frozen=True, slots=True)
class PathProgress:
    """``done`` is the share of all steps; ``strength`` what is trained at, None in the warm start."""

    done: float
    strength: float | None


def strengths(kind: str, points: int = POINTS) -> tuple[float, ...]:
    """``points`` values of λ, rising on a log scale: `DECADES` around the kind's default, and no further than
    its dial goes. By default these are 0.1, 0.3, 1, 3, … times the default."""
    entry = REGULARISERS[kind]
    assert entry.default_strength is not None
    low, high = math.log10(entry.strength_low), math.log10(entry.strength_high)
    width = min(DECADES, high - low)
    first = min(math.log10(entry.default_strength) - BELOW, high - width)
    first = max(math.floor(2 * first) / 2, low)  # 1, 3, 10, 30, …
    digits = 1 if width / (points - 1) >= 0.5 else 2  # what lies closer needs more
    return tuple(float(f"{10 ** (first + width * i / (points - 1)):.{digits}g}") for i in range(points))


def quick(
    spec: RunSpec, which: int, *, warm_epochs: int = WARM_EPOCHS, epochs_each: int = EPOCHS_EACH
) -> RunSpec:
    """What a path trains of ``spec``, completed: regulariser ``which`` at 0, a short budget, no name. The
    other regularisers are as strong as they get by the end of the warm start. Specs whose paths are equal
    give equal values.

    Raises:
        SpecError: the spec can't be run, or there is no such regulariser, or it has no strength.
    """
    spec = completed(spec)
    if not 0 <= which < len(spec.regularisers):
        there = f"there are {len(spec.regularisers)}" if spec.regularisers else "the spec has none"
        raise SpecError("regularisers", f"there is no regulariser {which} to try values of λ for; {there}.")
    chosen = spec.regularisers[which]
    if chosen.strength is None:
        raise SpecError(
            f"regularisers[{which}]", f"{chosen.kind} has no strength λ; choose a regulariser that has one."
        )
    regularisers = [
        each.model_copy(update={"warmup_epochs": min(each.warmup_epochs, warm_epochs)})
        for each in spec.regularisers
    ]
    regularisers[which] = chosen.model_copy(update={"strength": 0.0, "warmup_epochs": 0})
    train = spec.train.model_copy(update={"epochs": warm_epochs + epochs_each})
    return spec.model_copy(update={"name": "", "regularisers": tuple(regularisers), "train": train})


def lambda_path(
    spec: RunSpec,
    *,
    which: int,
    lambdas: Sequence[float] | None = None,
    points: int = POINTS,
    warm_epochs: int = WARM_EPOCHS,
    epochs_each: int = EPOCHS_EACH,
    control: Control | None = None,
) -> Iterator[PathPoint | PathProgress]:
    """Train the path of one regulariser, yielding each λ's point as soon as it is known.

    The default path is 28 epochs of at most 2,500 images. The default CNN on mnist5k, in a process of its
    own, took 62 s of processor time on two busy cores.

    Args:
        which: the regulariser's place in ``spec.regularisers``; its own λ and warm-up are not used.
        lambdas: the values of λ, in the order they are tried; None: ``points`` of them by `strengths`.
        control: how to stop it; looked at once a batch.

    Raises:
        SpecError: as `quick`, or a λ is out of bounds.
        DivergedError: the loss stopped being a number before any λ was tried.
    """
    control = control or Control()
    spec = quick(spec, which, warm_epochs=warm_epochs, epochs_each=epochs_each)
    kind = spec.regularisers[which].kind
    lambdas = strengths(kind, points) if lambdas is None else lambdas
    highest = REGULARISERS[kind].strength_max
    for strength in lambdas:
        if not 0 <= strength <= highest:
            raise SpecError("lambdas", f"{strength:g} is no λ of {kind}; it goes from 0 to {highest:g}.")
    warm = _open(spec)
    pace, done, total = Pace(PROGRESS_SECONDS), 0, warm_epochs + epochs_each * len(lambdas)

    def train(session: Session, epochs: range, strength: float | None) -> Iterator[PathProgress]:
        nonlocal done
        for epoch in epochs:
            for share in _train_epoch(session, epoch, control):
                if pace.due():
                    yield PathProgress((done + share) / total, strength)
            done += 1

    yield from train(warm, range(1, warm_epochs + 1), None)
    if warm_epochs and not control.stop.is_set() and not math.isfinite(evaluate(warm, warm.validation).loss):
        raise DivergedError(
            "The loss stopped being a number before any λ was tried; try a lower learning rate, "
            "or weaker augmentation."
        )
    for strength in lambdas:
        began = time.perf_counter()
        session = _fork(warm, kind, strength)
        yield from train(session, range(warm_epochs + 1, warm_epochs + epochs_each + 1), strength)
        if control.stop.is_set():
            return
        yield _measured(session, strength, began)


def good(points: Sequence[PathPoint]) -> PathPoint | None:
    """The point of the largest λ whose accuracy is within `TOLERANCE` of the path's best; None if there is
    no point with an accuracy."""
    right = [(point.accuracy, point) for point in points if point.accuracy is not None]
    best = max((accuracy for accuracy, _ in right), default=0.0)
    # Accuracies are shares of a few hundred images: 0.97 - 0.005 is a hair above 0.965 in floats.
    close = [point for accuracy, point in right if accuracy >= best - TOLERANCE - 1e-9]
    return max(close, key=lambda point: point.strength, default=None)


def events(
    spec: RunSpec, control: Control | None = None, *, which: int, lambdas: Sequence[float] | None = None
) -> Iterator[Event]:
    """`lambda_path` as a stream of events: ``progress`` and ``point``, with the fields of their classes, and
    a last ``state``: finished, stopped or failed."""
    control = control or Control()
    try:
        for found in lambda_path(spec, which=which, lambdas=lambdas, control=control):
            yield {"event": "point" if isinstance(found, PathPoint) else "progress", **asdict(found)}
    except DivergedError as error:
        yield state("failed", str(error))
    else:
        yield state("stopped" if control.stop.is_set() else "finished")


def _open(spec: RunSpec) -> Session:
    """A session on `IMAGES` training images at most, every class in proportion."""
    session = open_session(spec)
    if len(session.train) <= IMAGES:
        return session
    data = spec.data.model_copy(update={"train_images": IMAGES})
    return open_session(spec.model_copy(update={"data": data}))


def _train_epoch(session: Session, epoch: int, control: Control) -> Iterator[float]:
    """Train epoch ``epoch``, from 1; after each batch the share that is done. It ends early if stopped."""
    session.model.train()
    for i, batch in enumerate(batches(session, epoch), start=1):
        if control.stop.is_set():
            return
        train_step(session, batch.images, batch.targets, batch.step)
        yield i / session.steps_per_epoch
    session.regularisation.epoch_trained(epoch / session.spec.train.epochs)


def _fork(warm: Session, kind: str, strength: float) -> Session:
    """A session that goes on from ``warm`` at λ = ``strength``: a copy of its network, its optimiser and its
    regularisers; what never changes is shared."""
    shared = (warm.spec, warm.train, warm.validation, warm.mean, warm.std, warm.pipeline, warm.mixer)
    session = copy.deepcopy(warm, {id(part): part for part in shared})
    session.regularisation.set_strength(kind, strength)
    return session


def _measured(session: Session, strength: float, began: float) -> PathPoint:
    with evaluation_weights(session, session.spec.train.epochs):
        judged = evaluate(session, session.validation)
        found = session.gauge.measure(thorough=False, histograms=False)["sparsity"]
    groups = found.get("groups", {}).values()
    return PathPoint(
        strength=strength,
        accuracy=judged.accuracy if math.isfinite(judged.loss) else None,
        exact=found["exact"],
        near=found["near"],
        groups=sum(each["zero"] for each in groups) / max(1, sum(each["all"] for each in groups)),
        seconds=time.perf_counter() - began,
    )
