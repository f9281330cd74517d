"""A transform that is asked for, checked; and the spec of the run that it makes. Without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from core.catalogue import Parameter, completed_params, imported, look_up
from core.catalogues import completed
from core.regularise.catalogue import REGULARISERS
from core.run.digest import FROM
from core.run.errors import SpecError
from core.run.kinds import TRAIN, TRANSFORM
from core.run.made import is_made
from core.run.spec import ModelSpec, Name, Params, Part, RegulariserSpec, RunSpec, refusal
from core.text.describe import title
from core.transform.catalogue import TRANSFORMS, Transform
from core.transform.choices import Choices

MOST_NAME = 80
MOST_JOB_BYTES = 64 * 1024


class Further(Part):
    """How the network is trained on; what is None is as in the run before."""

    epochs: Annotated[int, Field(ge=0, le=1000)] = 0
    lr: Annotated[float, Field(gt=0, le=10)] | None = None
    optimiser: Name | None = None
    schedule: Name | None = None
    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None


class Asked(Part):
    """A job, as a file has it.

    Args:
        sources: runs: ids, or on the command line folders.
        model: of a student; None: that of the first teacher.
        seed: of what is drawn; None: that of the run before.
    """

    model_config = ConfigDict(populate_by_name=True)

    sources: Annotated[
        tuple[Annotated[str, Field(max_length=4096)], ...],
        Field(alias=FROM, min_length=1, max_length=8, strict=False),
    ]
    params: Params = Field(default_factory=dict)
    train: Further = Further()
    model: ModelSpec | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    name: Annotated[str, Field(max_length=80)] = ""


def read_asked(text: str | bytes) -> Asked:
    """A job from JSON.

    Raises:
        SpecError: it is none.
    """
    if len(text) > MOST_JOB_BYTES:
        raise SpecError("", f"The job is {len(text):,} bytes; at most {MOST_JOB_BYTES:,} are read.")
    try:
        return Asked.model_validate_json(text)
    except ValidationError as error:
        raise refusal(error) from None


class Planned(Part):
    """What a transform comes to.

    Args:
        kind: of the job: it trains, or it does not.
        params: completed.
        spec: completed; of a network that is not trained on it is that of the run before.
    """

    kind: str
    params: Params
    spec: RunSpec


def planned(
    how: str,
    asked: Asked,
    sources: Sequence[RunSpec],
    alone: Sequence[bool] = (),
    held: Sequence[Mapping[str, Any]] = (),
) -> Planned:
    """What a transform of runs of these specs comes to.

    Args:
        alone: of each run, whether its spec alone trains it again; empty: of all.
        held: what the first run's network was made to keep, where its spec does not say so: `held_by`.

    Raises:
        SpecError: there is no such transform, a parameter is out of bounds, or it can't be made of these.
    """
    entry = look_up(TRANSFORMS, how, "how", "transform")
    params = completed_params(entry, asked.params, "params")
    _check_sources(entry, asked, sources)
    epochs, first = asked.train.epochs, sources[0]
    if asked.model is not None and not entry.student:
        raise SpecError("model", f"{entry.title} keeps the architecture; leave this out.")
    choices: Choices = imported(entry.chooses)(params, epochs)
    choices.check()
    choices.check_fit(first)
    if choices.repeats and not all(alone[:1]):
        what = (
            "that run was changed as it went, or began with another's network, so its spec alone does not "
            "train its beginning again; rewind it to epoch 0, or choose another start."
        )
        raise SpecError("params.start", what)
    first = first.model_copy(update={"train": first.train.model_copy(update={"processes": 1})})
    name = asked.name or _named(title(first), in_words(entry, params, epochs))
    spec = first.model_copy(update={"name": name})
    if asked.seed is not None:
        split = {"data": spec.data.model_copy(update={"split_seed": first.split_seed})}
        spec = spec.model_copy(update={"seed": asked.seed, **split})
    if entry.student and asked.model is not None:
        spec = spec.model_copy(update={"model": asked.model})
    if epochs:
        own = choices.held()
        kinds = {each["kind"] for each in own}
        kept = [] if entry.student else [dict(each) for each in held if each["kind"] not in kinds]
        spec = _trained_on(spec, asked.train, [*own, *kept], keeps=not entry.student)
    kind = TRAIN if epochs else TRANSFORM
    return Planned(kind=kind, params=_plain(params), spec=completed(spec))


def held_by(how: object, params: object) -> list[dict[str, Any]]:
    """What a network that was made so, and not trained on, keeps when it is: its spec does not say it."""
    entry = TRANSFORMS.get(str(how))
    if entry is None or entry.student or not isinstance(params, Mapping):
        return []
    try:
        found: list[dict[str, Any]] = imported(entry.chooses)(completed_params(entry, params, ""), 0).held()
    except SpecError:
        return []
    return found


def how_made(inputs: Mapping[str, Any], spec: RunSpec) -> str:
    """In words, of a run's inputs; empty: its network was not made of others', or in a way that is gone."""
    entry = TRANSFORMS.get(str(inputs.get("how", ""))) if is_made(inputs) else None
    if entry is None:
        return ""
    try:
        params = completed_params(entry, inputs.get("params", {}), "params")
    except SpecError:
        return entry.title
    return in_words(entry, params, spec.train.epochs)


def in_words(entry: Transform, params: Params, epochs: int) -> str:
    """What a transform with these parameters, completed, is called, e.g. ``4 bits``."""
    said: str = imported(entry.chooses)(params, epochs).said()
    if epochs and not entry.student:
        said += f", {epochs} {'epoch' if epochs == 1 else 'epochs'} more"
    return said


def _named(before: str, said: str) -> str:
    """The end of a long name tells networks apart, so the beginning of what was before goes."""
    name = f"{before}, {said}"
    return name if len(name) <= MOST_NAME else f"…{name[1 - MOST_NAME :]}"


def offered(
    entry: Transform, parameter: Parameter, spec: RunSpec, chosen: Mapping[str, Any]
) -> Parameter | None:
    """A parameter as a form asks for it, see `Choices.offered`."""
    choices: type[Choices] = imported(entry.chooses)
    return choices.offered(parameter, spec, chosen)


def fits(entry: Transform, first: RunSpec, other: RunSpec) -> bool:
    """Whether a network can be made of both, as far as their specs tell; a page offers no others. Whether
    each is judged on images that neither has learned from is looked at again where they are opened."""
    if entry.student:  # who was taught by fewer images may teach
        count = other.data.train_images
        return judged_alike(_with_images(first, count), other)
    return judged_alike(first, other) and first.model == other.model


def judged_alike(one: RunSpec, other: RunSpec) -> bool:
    """Whether runs of these specs have the same images, and keep the same of them for validation."""
    ours, theirs = (spec.data.model_copy(update={"split_seed": spec.split_seed}) for spec in (one, other))
    return ours == theirs


def _with_images(spec: RunSpec, count: int | None) -> RunSpec:
    data = {"train_images": count, "split_seed": spec.split_seed}
    return spec.model_copy(update={"data": spec.data.model_copy(update=data)})


def _check_sources(entry: Transform, asked: Asked, sources: Sequence[RunSpec]) -> None:
    count = len(sources)
    if not entry.fewest <= count <= entry.most:
        wanted = str(entry.fewest) if entry.fewest == entry.most else f"{entry.fewest} to {entry.most}"
        raise SpecError(
            FROM, f"{entry.title} takes {wanted} {'run' if wanted == '1' else 'runs'}; {count} given."
        )
    if len(set(asked.sources)) < count:
        raise SpecError(FROM, "a run stands there twice; each may stand there once.")
    first = sources[0]
    for other in sources[1:]:
        if other.data.name != first.data.name or other.data.path != first.data.path:
            raise SpecError(FROM, "the runs have seen other images; choose runs on the same set.")
        if not entry.student and (other.model.arch != first.model.arch):
            raise SpecError(FROM, "only networks of one architecture can be merged.")


def _trained_on(spec: RunSpec, train: Further, held: list[dict[str, Any]], *, keeps: bool) -> RunSpec:
    """The spec of further training: no penalties of the run before, but what it held is held on."""
    kinds = {each["kind"] for each in held}
    regularisers = [RegulariserSpec.model_validate(each) for each in held]
    regularisers += [each for each in spec.regularisers if each.kind not in kinds and _stays(each, keeps)]
    optimiser = spec.optimiser
    if train.optimiser is not None and train.optimiser != optimiser.kind:
        optimiser = type(optimiser)(kind=train.optimiser, schedule=optimiser.schedule)
    changed = {"lr": train.lr, "schedule": train.schedule}
    optimiser = optimiser.model_copy(update={k: v for k, v in changed.items() if v is not None})
    further: dict[str, Any] = {"epochs": train.epochs}
    if train.batch_size is not None:
        further["batch_size"] = train.batch_size
    return spec.model_copy(
        update={
            "regularisers": tuple(regularisers),
            "optimiser": optimiser,
            "train": spec.train.model_copy(update=further),
        }
    )


def _stays(spec: RegulariserSpec, keeps: bool) -> bool:
    """Whether a regulariser of the run before goes on. In the same network what sets weights by no strength,
    such as a grid of few bits; of a student what is no matter of weights."""
    entry = REGULARISERS[spec.kind]
    return entry.sets and entry.default_strength is None if keeps else not (entry.on_weights or entry.taught)


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in params.items()}
