"""`Study`: a question, and what is needed to answer it, as one immutable value; JSON outside.

``{"version": 1, "question": "strength", "base": RunSpec, …}``: what follows depends on the question, see
`core.study.questions`.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from core.catalogue import look_up
from core.catalogues import completed
from core.run.errors import SpecError
from core.run.spec import Part, RunSpec, is_upload, parse, place_of, refusal, values_of
from core.study.cells import Cell, Table

MAX_STUDY_BYTES = 128 * 1024
MOST_CELLS = 500
MOST_SEEDS = 50
SEEDS = 2**31

S = TypeVar("S", bound="Study")
Count = Annotated[int, Field(ge=0)]


class Cost(NamedTuple):
    """What a study trains, at most: runs, and epochs of all of them together. A run that is promoted is one,
    and each of its epochs is trained once."""

    runs: int
    epochs: int


class Study(Part):
    """What all questions have in common.

    Args:
        base: the run that the question is about.
        seed: what the study itself draws by; the runs' seeds begin at that of ``base``.
    """

    version: Literal[1] = 1
    question: str
    name: Annotated[str, Field(max_length=80)] = ""
    base: RunSpec = RunSpec()

    @abstractmethod
    def filled(self: S) -> S:
        """With all that was left out, and checked.

        Raises:
            SpecError: it can't be answered so, and why.
        """

    @abstractmethod
    def cells(self, table: Table) -> list[Cell]:
        """The cells that are wanted, in the order they are to be trained: those that are done, and those that
        can be begun now that ``table`` is known. It depends on nothing else."""

    @abstractmethod
    def cost(self) -> Cost:
        """Of the whole study."""

    @abstractmethod
    def result(self, table: Table) -> dict[str, Any]:
        """The answer as far as it can be given, as JSON values; empty: nothing can be said yet."""


def check_size(study: Study) -> None:
    """Whether it is no larger than what a server takes.

    Raises:
        SpecError: it has too many cells.
    """
    runs = study.cost().runs
    if runs > MOST_CELLS:
        raise SpecError("", f"This study has {runs:,} runs; at most {MOST_CELLS} are allowed.")


def parse_study(source: str | bytes | Mapping[str, Any]) -> Study:
    """A study from JSON text or plain values, filled in and checked.

    Raises:
        SpecError: it is no JSON, too long, has an unknown field, a value is out of bounds, or it can't be
            answered.
    """
    from core.study.questions.catalogue import QUESTIONS

    if isinstance(source, Mapping):
        source = json.dumps(dict(source))
    if len(source) > MAX_STUDY_BYTES:
        raise SpecError("", f"The study is {len(source):,} bytes; at most {MAX_STUDY_BYTES:,} are read.")
    try:
        values = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise SpecError("", f"The study is not valid JSON: {error}.") from None
    if not isinstance(values, dict):
        raise SpecError("", 'A study is a JSON object, like {"version": 1, "question": "strength", …}.')
    question = values.get("question")
    if not isinstance(question, str):
        raise SpecError("question", f"it is needed, and is one of {', '.join(QUESTIONS)}.")
    entry = look_up(QUESTIONS, question, "question", "question")
    try:
        study = entry.build().model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise refusal(error) from None
    study = study.filled()
    check_size(study)
    return study


def check_folders(study: Study) -> None:
    """Whether a study that a visitor has written reads no folder of this machine, but bundled sets and
    uploads.

    Raises:
        SpecError: it names one.
    """
    paths = {spec.data.path for spec in (study.base, *(cell.spec for cell in study.cells({})))}
    if any(path is not None and not is_upload(path) for path in paths):
        raise SpecError("base.data.path", "a page takes uploads only; choose your images under Train.")


def with_changes(spec: RunSpec, changes: Mapping[str, Any]) -> RunSpec:
    """``spec`` with other values at some paths, completed. None takes an operation, a mix or a regulariser
    out; places in lists are those before anything is taken out.

    Raises:
        SpecError: there is no such place, or the spec can't be run.
    """
    whole = values_of(spec)
    taken: list[tuple[list[Any], Any]] = []
    for path, value in changes.items():
        parent, _, last = path.rpartition(".")
        listed = _list_at(whole, parent)
        if listed is not None and last.isdecimal() and len(last) <= 4:
            if int(last) >= len(listed):
                raise SpecError(path, f"there is no such place; {parent} has {len(listed)}.")
            if value is None:
                taken.append((listed, listed[int(last)]))
            else:
                listed[int(last)] = value
            continue
        place, key = place_of(whole, path)
        place[key] = value
    for listed, item in taken:
        listed[:] = [each for each in listed if each is not item]
    return completed(parse(whole))


def _list_at(whole: Mapping[str, Any], path: str) -> list[Any] | None:
    place: Any = whole
    for key in path.split(".") if path else []:
        if not isinstance(place, dict) or key not in place:
            return None
        place = place[key]
    return place if isinstance(place, list) else None


def with_seed(spec: RunSpec, number: int) -> RunSpec:
    """The ``number``-th repeat of a completed spec: another seed, and the same images kept."""
    data = spec.data.model_copy(update={"split_seed": spec.split_seed})
    return completed(spec.model_copy(update={"seed": (spec.seed + number) % SEEDS, "data": data}))


def unnamed(spec: RunSpec) -> RunSpec:
    return spec.model_copy(update={"name": ""})


def differing(path: str, values: Sequence[Any]) -> None:
    """Refuse a list that holds one value twice.

    Raises:
        SpecError: it does.
    """
    if len(set(map(repr, values))) < len(values):
        raise SpecError(path, "a value stands there twice; each may stand there once.")
