"""λ, quickly: what a few strengths of one regulariser cost and give, each from one and the same warm start.

The network is trained once for a few epochs with the regulariser at 0. Then, for each λ, a job goes on from
that network and its optimiser's state for a few epochs more at this λ, constant. So a point is what a run
gives in which λ steps in after the warm start, bit for bit, and at λ = 0 it is the plain run.

Why from one start, and not along the path, each λ from the one before, as glmnet does (Friedman, Hastie &
Tibshirani 2010, section 2.5). A lasso is convex: where one starts changes how soon one arrives, not where.
A network is not. Its later λ would have trained for longer than its earlier ones, so that the chart
would mix the two, and what one λ killed the next could not bring back: a layer of zeros has no gradient,
and every λ after the first that is too strong would look dead. From one start each point is λ's own
doing, and they can be compared: same weights, same batches in the same order, same dropout.

The optimiser's state comes along, too: the averages from which a fresh Adam would have to learn its steps
anew, and a proximal step with them.

It is a quick look and not the final number. A proximal step takes a little off a weight each time, so a
whole run at the same λ ends with more zeros, and has the time to mend its accuracy.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.regularise.catalogue import REGULARISERS
from core.run.commands import Control
from core.run.errors import SpecError
from core.run.events import Event, state
from core.run.inputs import checked_inputs
from core.run.spec import Part, RunSpec
from core.study.path_plan import EPOCHS_EACH, IMAGES, WARM_EPOCHS, chosen_regulariser, quick, strengths
from core.study.warm_start import DIVERGED, keep, keep_diverged, load, place
from core.train.batching import batches
from core.train.divergence import DivergedError
from core.train.evaluation import evaluate, evaluation_weights
from core.train.pace import Pace
from core.train.session import Session, open_session
from core.train.step import train_step
from core.train.surroundings import surroundings

PROGRESS_SECONDS = 0.2


class Inputs(Part):
    """Which regulariser's λ, after how many epochs it steps in, on how many training images at most, and the
    digest under which the warm start is kept."""

    regulariser: Annotated[int, Field(ge=0, lt=8)]
    strength: Annotated[float, Field(ge=0)]
    warm_epochs: Annotated[int, Field(ge=0, le=100)]
    images: Annotated[int, Field(ge=1)]
    start: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def run(spec: RunSpec, inputs: Mapping[str, Any], control: Control, out: Path | None) -> Iterator[Event]:
    """Try one λ, as a job. The first job of a path trains its warm start, and the others go on from it.

    Its one row is that of `point`.

    Args:
        spec: from `core.study.path_plan.quick`.

    Raises:
        SpecError: the inputs are of no use, or the spec can't be run.
    """
    asked = checked_inputs(Inputs, inputs)
    _check_strength(chosen_regulariser(spec, asked.regulariser).kind, asked.strength)
    yield from _with_state(
        point(
            spec,
            asked.regulariser,
            asked.strength,
            warm_epochs=asked.warm_epochs,
            images=asked.images,
            start=place(asked.start),
            control=control,
        ),
        control,
    )


def path_events(
    spec: RunSpec,
    control: Control | None = None,
    *,
    regulariser: int,
    lambdas: Sequence[float] | None = None,
    warm_epochs: int = WARM_EPOCHS,
    epochs_each: int = EPOCHS_EACH,
) -> Iterator[Event]:
    """A whole path, one λ after the other: ``progress`` over all of it, a `point`'s ``row`` as soon as it is
    known, and a last ``state``.

    The default path is 31 epochs of at most 2,500 images. The default CNN on mnist5k, in a process of its
    own, took about 70 s of processor time on two busy cores.

    Args:
        regulariser: its place in ``spec.regularisers``; its own λ and warm-up are not used.
        lambdas: the values of λ, in the order they are tried; None: 0, then those of `strengths`.
        control: how to stop it; looked at once a batch.

    Raises:
        SpecError: as `quick`, or a λ is out of bounds.
    """
    control = control or Control()
    spec = quick(spec, regulariser, warm_epochs=warm_epochs, epochs_each=epochs_each)
    kind = spec.regularisers[regulariser].kind
    lambdas = (0.0, *strengths(kind)) if lambdas is None else lambdas
    for strength in lambdas:
        _check_strength(kind, strength)
    yield from _with_state(_points(spec, regulariser, lambdas, warm_epochs, control), control)


def _points(
    spec: RunSpec, regulariser: int, lambdas: Sequence[float], warm_epochs: int, control: Control
) -> Iterator[Event]:
    each = spec.train.epochs - warm_epochs
    clock = _Clock(warm_epochs + each * len(lambdas))
    with tempfile.TemporaryDirectory() as folder:
        for strength in lambdas:
            yield from point(
                spec,
                regulariser,
                strength,
                warm_epochs=warm_epochs,
                start=Path(folder) / "start",
                control=control,
                clock=clock,
            )
            if control.stop.is_set():
                return


def point(
    spec: RunSpec,
    regulariser: int,
    strength: float,
    *,
    warm_epochs: int,
    start: Path,
    control: Control,
    images: int = IMAGES,
    clock: _Clock | None = None,
) -> Iterator[Event]:
    """What one λ leads to: ``progress`` events, and one ``row`` unless it is stopped.

    The row has ``strength``, λ; ``accuracy``, the share of the validation images that are answered right,
    None where the loss stopped being a number; ``images``, how many they are, and ``right``, which of them:
    a bit an image, in hexadecimal, so that points can be compared image by image; ``exact`` and ``near``, the
    shares of the ``weights`` that are 0.0, and with ``|w| < 1e-3``; ``groups``, the share of the filters,
    neurons and heads whose weights are all 0.0; the ``seconds`` that training at this λ took; and the
    ``versions`` it was computed by.

    Args:
        spec: from `quick`.
        start: where the warm start is kept. If it is not there, it is trained, and kept.

    Raises:
        SpecError: the spec can't be run.
        DivergedError: the loss stopped being a number before λ was tried.
    """
    epochs = spec.train.epochs
    session = _open(spec, images)
    known = start.is_dir()
    warm = known and load(start, session, warm_epochs)
    if known and not warm:
        session = _open(spec, images)
    clock = clock or _Clock(epochs - warm_epochs if warm else epochs)
    if warm_epochs and not warm:
        yield from _train(session, range(1, warm_epochs + 1), None, control, clock)
        if control.stop.is_set():
            return
        if not math.isfinite(evaluate(session, session.validation).loss):
            keep_diverged(start)
            raise DivergedError(DIVERGED)
        keep(start, session, warm_epochs)
    began = time.perf_counter()
    session.regularisation.set_strength(spec.regularisers[regulariser].kind, strength)
    yield from _train(session, range(warm_epochs + 1, epochs + 1), strength, control, clock)
    if not control.stop.is_set():
        yield _measured(session, strength, began)


@dataclass(slots=True)
class _Clock:
    """Tells how far a job or a path is, some times a second.

    Args:
        epochs: all there are to train.
        done: those that are trained.
    """

    epochs: int
    done: int = 0
    pace: Pace = field(default_factory=lambda: Pace(PROGRESS_SECONDS))
    began: tuple[float, float] | None = None  # when the first was told, and how much was done then

    def progress(self, share: float, strength: float | None) -> Iterator[Event]:
        """A ``progress`` event, if it is time for one, after this share of the current epoch."""
        if not self.pace.due():
            return
        now, done = time.perf_counter(), min(self.done + share, self.epochs)
        self.began = self.began or (now, done)
        left = None
        if done > self.began[1]:
            left = (now - self.began[0]) / (done - self.began[1]) * (self.epochs - done)
        doing = "Warm start, without it" if strength is None else f"λ = {strength:g}"
        yield {
            "event": "progress",
            "done": done,
            "of": self.epochs,
            "seconds_left": left,
            "what": doing,
            "strength": strength,
        }


def _with_state(events: Iterator[Event], control: Control) -> Iterator[Event]:
    """``events``, and a last ``state``: finished, stopped or failed."""
    try:
        yield from events
    except DivergedError as error:
        yield state("failed", str(error))
    else:
        yield state("stopped" if control.stop.is_set() else "finished")


def _check_strength(kind: str, strength: float) -> None:
    highest = REGULARISERS[kind].strength_max
    if not 0 <= strength <= highest:
        raise SpecError("lambdas", f"{strength:g} is no λ of {kind}; it goes from 0 to {highest:g}.")


def _open(spec: RunSpec, images: int) -> Session:
    """A session on ``images`` training images at most, every class in proportion."""
    wanted = spec.data.train_images
    data = spec.data.model_copy(update={"train_images": min(wanted or images, images)})
    try:
        return open_session(spec.model_copy(update={"data": data}))
    except SpecError as error:
        if (wanted is not None and wanted <= images) or error.where != "data.train_images":
            raise
    return open_session(spec)  # there are fewer


def _train(
    session: Session, epochs: range, strength: float | None, control: Control, clock: _Clock
) -> Iterator[Event]:
    """Train the epochs, numbered from 1, telling how far it is. It ends within a batch if stopped."""
    for epoch in epochs:
        session.model.train()
        for i, batch in enumerate(batches(session, epoch), start=1):
            if control.stop.is_set():
                return
            train_step(session, batch.images, batch.targets, batch.step)
            yield from clock.progress(i / session.clock.steps_per_epoch, strength)
        clock.done += 1
        session.regularisation.epoch_trained(epoch / session.spec.train.epochs)


def _measured(session: Session, strength: float, began: float) -> Event:
    with evaluation_weights(session, session.spec.train.epochs):
        judged = evaluate(session, session.validation)
        found = session.weight_measures.measure(thorough=False, histograms=False)["sparsity"]
    groups = found.get("groups", {}).values()
    versions = surroundings(session.device)["versions"]
    return {
        "event": "row",
        "strength": strength,
        "accuracy": judged.accuracy if math.isfinite(judged.loss) else None,
        "images": len(judged.correct),
        "right": judged.right,
        "exact": found["exact"],
        "near": found["near"],
        "weights": found["weights"],
        "groups": sum(each["zero"] for each in groups) / max(1, sum(each["all"] for each in groups)),
        "seconds": time.perf_counter() - began,
        "versions": versions,
    }
