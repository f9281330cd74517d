"""`RunSpec`: everything a person can choose, as one immutable value.

Widgets build it, an address carries it, the store keeps it, the engine executes it. This module says
what shape a spec has and bounds every number that belongs to no catalogue; the bounds of an
operation's, an architecture's or a regulariser's own parameters stand in their catalogues, and
`core.catalogues.completed` checks those and fills in what was left out.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.run.errors import SpecError

MAX_SIDE = 256  # pixels; a batch of 4,096 such images is 3.2 GB as float32 RGB, a laptop's limit
MAX_PARAMETERS = 50_000_000  # with Adam's two moments and gradients, 800 MB
MAX_PROCESSES = 8  # that share the batches of one run
MAX_OPS = 64  # operations in a pipeline
MAX_SPEC_BYTES = 64 * 1024  # a spec is a page of JSON; more is somebody's mistake or mischief

_UPLOAD = re.compile(r"upload:([0-9a-f]{64})")

Name = Annotated[str, Field(max_length=64)]
Scalar = bool | int | float | Annotated[str, Field(max_length=64)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Purpose = Literal["order", "weights", "augment", "dropout"]  # what a run draws numbers for as it trains
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
Params = Annotated[
    dict[Name, Scalar | Annotated[list[int | float], Field(max_length=16)]], Field(max_length=32)
]


def _is_none(value: object) -> bool:
    """For a field that is not written where it is not used, as before there was one."""
    return value is None


def _is_zero(value: object) -> bool:
    return value == 0


def _is_one(value: object) -> bool:
    return value == 1


def _is_float32(value: object) -> bool:
    return value == "float32"


class Part(BaseModel):
    """What all parts of a spec share: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class DataSpec(Part):
    """Which images, how many of them to train on, and how many are kept for validation."""

    name: Name = "mnist5k"
    path: Annotated[str, Field(max_length=1024)] | None = None  # `folder` only: a zip or a folder
    side: Annotated[int, Field(ge=8, le=MAX_SIDE)] | None = None  # `folder` only: pixels
    channels: Literal[1, 3] | None = None  # `folder` only: grey or RGB
    fit: Literal["crop", "pad", "stretch"] | None = None  # `folder` only: what becomes of what is not square
    train_images: Annotated[int, Field(ge=1, le=1_000_000)] | None = None  # None: all of them
    validation_share: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2
    # Draws which images are kept; None: the run's own seed does.
    split_seed: Seed | None = None
    # Cross-validation: the training images in so many parts, of which this one, from 0, is judged. What is
    # else kept for validation is then left out.
    folds: Annotated[Annotated[int, Field(ge=2, le=20)] | None, Field(exclude_if=_is_none)] = None
    fold: Annotated[Annotated[int, Field(ge=0, le=19)] | None, Field(exclude_if=_is_none)] = None

    @model_validator(mode="after")
    def check_fold(self) -> DataSpec:
        if self.folds is not None and self.fold is None:
            which = f"`fold`, from 0 to {self.folds - 1}"
            raise ValueError(f"of {self.folds} `folds` one is judged, so say which: {which}")
        if self.fold is not None and self.folds is None:
            raise ValueError("a `fold` is one of several, so say of how many: `folds`, from 2 to 20")
        if self.folds is not None and self.fold is not None and self.fold >= self.folds:
            raise ValueError(f"`fold` is counted from 0, so of {self.folds} it is at most {self.folds - 1}")
        return self


class OpSpec(Part):
    """One augmentation. ``stream`` numbers its private random draws: two operations of one kind in a
    pipeline have different streams, so that moving or removing one leaves the other's draws alone."""

    op: Name
    p: Annotated[float, Field(ge=0, le=1)] | None = None  # None: the catalogue's own
    enabled: bool = True
    stream: Annotated[int, Field(ge=0, le=999)] | None = None  # None: the first that is free
    params: Params = {}


class MixSpec(Part):
    """An operation that makes one image of several, and mixes their labels with them; it runs last."""

    op: Name
    p: Annotated[float, Field(ge=0, le=1)] | None = None  # None: the catalogue's own
    params: Params = {}


class AugmentSpec(Part):
    """Operations in the order they run; ``choose`` of them at random for each batch, if given.

    ``strength`` scales every range around its neutral value: 1 is as set, 0 leaves nothing of them; what has
    no neutral value (a flip, a policy) goes on as it is. With ``fuse`` consecutive geometric operations are
    one warp: faster, and one interpolation instead of several.
    """

    ops: Annotated[tuple[OpSpec, ...], Field(max_length=MAX_OPS, strict=False)] = ()
    choose: Annotated[int, Field(ge=1, le=MAX_OPS)] | None = None
    strength: Annotated[float, Field(ge=0, le=2)] = 1.0
    fuse: bool = True
    mix: MixSpec | None = None

    @model_validator(mode="after")
    def number_streams(self) -> AugmentSpec:
        """Give every operation a stream of its own among those of its kind."""
        taken = {(op.op, op.stream) for op in self.ops if op.stream is not None}
        explicit = [(op.op, op.stream) for op in self.ops if op.stream is not None]
        if len(explicit) != len(taken):
            raise ValueError("two operations of one kind have the same stream")
        numbered = []
        for op in self.ops:
            if op.stream is None:
                stream = next(i for i in range(1000) if (op.op, i) not in taken)
                taken.add((op.op, stream))
                op = op.model_copy(update={"stream": stream})
            numbered.append(op)
        object.__setattr__(self, "ops", tuple(numbered))
        return self


class ModelSpec(Part):
    """An architecture and its parameters."""

    arch: Name = "cnn"
    params: Params = {}


class RegulariserSpec(Part):
    """A regulariser. ``linear``: its strength rises from 0 over ``warmup_epochs``; ``cubic``: it does so
    steeply at first and slowly at last; ``step``: it is 0 until then and whole after. A constant strength has
    no warm-up. Some kinds have no strength or no solver, and some can be released before the run ends."""

    kind: Name
    strength: Annotated[float, Field(ge=0, le=100)] | None = None  # None: the catalogue's own
    solver: Literal["penalty", "proximal"] | None = None  # None: the catalogue's own
    warmup_epochs: Annotated[int, Field(ge=0, le=1000)] = 0
    schedule: Literal["linear", "cubic", "step"] = "linear"
    # After so many epochs the strength is 0 and what is zero stays zero; 0: never.
    release_epochs: Annotated[int, Field(ge=0, le=1000, exclude_if=_is_zero)] = 0
    release_rate: Annotated[float, Field(ge=0.1, le=10, exclude_if=_is_one)] = 1.0  # times the learning rate
    params: Params = {}


class OptimiserSpec(Part):
    """How the weights follow the gradient, and how the learning rate changes over the run."""

    kind: Name = "adamw"
    lr: Annotated[float, Field(gt=0, le=10)] | None = None  # None: the catalogue's own
    schedule: Name = "constant"
    # A schedule without parameters is written as it was before one could have some.
    schedule_params: Annotated[Params, Field(exclude_if=lambda params: not params)] = {}
    params: Params = {}


class TrainSpec(Part):
    """The budget, and where it is spent."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 128
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    # How many processes share each batch; together they train as one would, but for the order of sums.
    processes: Annotated[int, Field(ge=1, le=MAX_PROCESSES, exclude_if=_is_one)] = 1
    # In what they exchange gradients. bfloat16 halves the bytes, and rounds to 8 bits.
    gradient_precision: Annotated[Literal["float32", "bfloat16"], Field(exclude_if=_is_float32)] = "float32"


class SeedsSpec(Part):
    """Seeds of single purposes, held apart from the run's own; None: that one.

    With all but one alike, runs differ by one kind of chance alone: "is it the order or the start?" Which
    images are kept has a seed too: `DataSpec.split_seed`.
    """

    order: Seed | None = None  # in which order each epoch goes through the images
    weights: Seed | None = None  # what the network begins with
    augment: Seed | None = None  # what each operation, and the mix, draws
    dropout: Seed | None = None  # which units are silent, and the gates of L0

    @property
    def is_empty(self) -> bool:
        return all(each is None for _, each in self)


Versions = Annotated[dict[Name, Annotated[str, Field(max_length=64)]], Field(max_length=8)]


class RunSpec(Part):
    """One run, whole. The same spec on the same machine gives the same numbers, bit for bit.

    ``versions`` says what completed the spec: ``augury``, ``torch``, ``kornia`` and ``catalogue``, a hash of
    the catalogues' defaults. It is no choice: `choices` leaves it out.
    """

    version: Literal[1] = 1
    name: Annotated[str, Field(max_length=80)] = ""
    seed: Seed = 0
    # A spec that holds none apart is written as it was before they could be.
    seeds: Annotated[SeedsSpec, Field(exclude_if=lambda seeds: seeds.is_empty)] = SeedsSpec()
    data: DataSpec = DataSpec()
    augment: AugmentSpec = AugmentSpec()
    model: ModelSpec = ModelSpec()
    regularisers: Annotated[tuple[RegulariserSpec, ...], Field(max_length=8, strict=False)] = ()
    optimiser: OptimiserSpec = OptimiserSpec()
    train: TrainSpec = TrainSpec()
    versions: Versions = {}

    @property
    def split_seed(self) -> int:
        """What draws the images that are kept for validation: the run's own seed, if no other is given."""
        return self.seed if self.data.split_seed is None else self.data.split_seed

    def seed_of(self, purpose: Purpose) -> int:
        """What the draws of one purpose derive from: the run's own seed, if none is held apart for it."""
        apart: int | None = getattr(self.seeds, purpose)
        return self.seed if apart is None else apart

    def choices(self) -> RunSpec:
        """The spec without ``versions``: equal for equal choices, whichever version completed them."""
        return self.model_copy(update={"versions": {}})

    def to_json(self, indent: int | None = None) -> str:
        """The whole spec as JSON; `parse` reads it back as an equal value."""
        return self.model_dump_json(indent=indent)


def parse(source: str | bytes | dict[str, Any]) -> RunSpec:
    """A `RunSpec` from JSON text or from plain values.

    Raises:
        SpecError: it is not JSON, is too long, has an unknown key, or a value is out of bounds.
    """
    if isinstance(source, dict):
        source = json.dumps(source)
    if len(source) > MAX_SPEC_BYTES:
        raise SpecError(
            "",
            f"The spec is {len(source):,} bytes; at most {MAX_SPEC_BYTES:,} are read.",
            "too_long",
            {"bytes": len(source), "max_bytes": MAX_SPEC_BYTES},
        )
    try:
        return RunSpec.model_validate_json(source)
    except ValidationError as error:
        raise refusal(error) from None


def is_upload(path: str) -> bool:
    """Whether ``path`` names an upload. Pages accept nothing else: other paths are this machine's own."""
    return _UPLOAD.fullmatch(path) is not None


def with_setting(spec: RunSpec, *settings: str) -> RunSpec:
    """``spec`` with fields changed by ``path.to.field=value`` (JSON, or a bare word), re-checked when all
    are: some fields are nothing without another.

    Raises:
        SpecError: there is no such field, or a value is refused.
    """
    whole = values_of(spec)
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise SpecError(setting, "write it as field=value, e.g. train.epochs=3.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        place, key = place_of(whole, path.strip())
        place[key] = value
        with suppress(SpecError):  # the next may mend it, or else the last line says what is wrong
            whole = values_of(parse(whole))  # with what was left out, which the next may change
    return parse(whole)


def values_of(spec: RunSpec) -> dict[str, Any]:
    """The whole spec as plain values, which `parse` reads back."""
    whole = spec.model_dump(mode="json")
    whole["optimiser"]["schedule_params"] = dict(spec.optimiser.schedule_params)
    return {**whole, "seeds": spec.seeds.model_dump(mode="json")}


def place_of(values: Any, path: str) -> tuple[dict[str, Any], str]:
    """The object that holds the field at ``path``, and the field's name there.

    Args:
        values: as `values_of` gives them.
        path: ``regularisers.0.strength``: keys, and places in lists counted from 0.

    Raises:
        SpecError: there is no such field.
    """
    *parents, last = path.split(".")
    place = values
    for key in parents:
        if isinstance(place, dict) and key in place:
            place = place[key]
        elif isinstance(place, list) and key.isdecimal() and len(key) <= 4 and int(key) < len(place):
            place = place[int(key)]
        else:
            raise SpecError(
                path, f"there is no such field; {key!r} was not found.", "unknown_field", {"name": key}
            )
    if not isinstance(place, dict):
        raise SpecError(path, "there is no such field.", "unknown_field", {"name": last})
    return place, last


def refusal(found: ValidationError) -> SpecError:
    """The first of pydantic's errors in our words."""
    error: Any = found.errors(include_url=False)[0]
    where = ""
    for key in error["loc"]:
        if isinstance(key, int):
            where += f"[{key}]"
        elif key not in _UNION_TAGS and not key.startswith(("constrained-", "list[")):
            where += f".{key}" if where else key
    shown = repr(error.get("input"))
    shown = shown if len(shown) <= 80 else f"{shown[:77]}…"
    kind, context = error["type"], error.get("ctx", {})
    known = {**context, "value": shown, "msg": error["msg"], "expected": context.get("expected", "")}
    if kind in _EXPECTED:
        code, what = "wrong_type", "{value} is not {expected}."
        known["expected"] = _EXPECTED[kind]
    else:
        code, what = _SENTENCES.get(kind, ("refused", "{value}: {msg}."))
        if kind == "value_error" and isinstance(error.get("input"), dict):
            what = "{error}."  # it is of several fields together
    if kind == "json_invalid":
        where = ""
    values = {key: str(value) if isinstance(value, Exception) else value for key, value in known.items()}
    return SpecError(where, what.format(**values), code, values)


_UNION_TAGS = {"bool", "int", "float", "str"}
_SENTENCES = {  # by pydantic's type of error: our code, and the sentence
    "greater_than_equal": ("too_small", "{value} is below the smallest allowed, {ge}."),
    "greater_than": ("too_small", "{value} is not above {gt}."),
    "less_than_equal": ("too_large", "{value} is above the largest allowed, {le}."),
    "literal_error": ("not_a_choice", "{value} is not allowed; it may be {expected}."),
    "string_too_long": ("too_long", "{value} is too long; at most {max_length} characters are allowed."),
    "too_long": ("too_long", "{value} is too long; at most {max_length} entries are allowed."),
    "value_error": ("refused", "{value} is refused: {error}."),
    "extra_forbidden": ("unknown_field", "there is no such field; remove it, or check its spelling."),
    "missing": ("missing", "this field is needed."),
    "json_invalid": ("not_json", "The spec is not valid JSON: {error}."),
    "finite_number": ("not_finite", "{value} is not a finite number."),
}
_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "none_required": "null, the only value this version takes here",
    "dict_type": "an object",
    "model_type": "an object",
    "tuple_type": "a list",
    "list_type": "a list",
}
