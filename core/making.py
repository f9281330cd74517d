"""``python -m core job``: a network made of trained ones, from a file that asks for it, into a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.catalogue import imported
from core.catalogues import completed
from core.export.source import Source, open_sources
from core.files import write_text
from core.jobs.event_file import EventFile
from core.jobs.kinds import KINDS
from core.jobs.making import give
from core.jobs.worker import finite
from core.run.commands import Control
from core.run.digest import FROM
from core.run.errors import SpecError
from core.run.events import Event
from core.run.history import HistoryBuilder
from core.run.made import MADE, Made
from core.run.spec import RunSpec
from core.transform.catalogue import TRANSFORMS
from core.transform.plan import Asked, held_by, planned

RESULT = "result.json"


def example(how: str) -> dict[str, Any]:
    """A job to edit.

    Raises:
        SpecError: there is no such transform.
    """
    from core.catalogue import completed_params, look_up

    entry = look_up(TRANSFORMS, how, "how", "transform")
    params = completed_params(entry, {}, "params")
    found: dict[str, Any] = {
        FROM: ["RUN"] * entry.fewest,
        "params": {key: list(v) if isinstance(v, tuple) else v for key, v in params.items()},
        "train": {"epochs": entry.epochs},
    }
    if entry.student:
        found["model"] = {"arch": "mlp", "params": {"hidden": [16, 10]}}
    return found


def make(how: str, asked: Asked, out: Path, control: Control, tell: Callable[[Event], None]) -> str:
    """Make it; the state it ended in. ``out`` gets weights, spec, events and the result.

    Args:
        asked: its sources are ids of runs, or folders.

    Raises:
        SpecError: it can't be made.
    """
    sources = open_sources(asked.sources)
    specs = [_spec_now(source) for source in sources]
    alone = [not (source.edits or source.history.branches or source.made) for source in sources]
    first = sources[0]
    at_once = first.history.result is not None and first.history.result["epoch"] == 0
    held = held_by(first.made.how, first.made.params) if first.made and at_once else []
    plan = planned(how, asked, specs, alone, held)
    give(out, [(spec, source.with_weights()) for spec, source in zip(specs, sources, strict=True)])
    ids = tuple(f"{number:032x}" for number in range(len(sources)))  # of folders, which have none
    inputs = Made(how=how, params=plan.params, sources=ids).inputs()
    write_text(out / MADE, json.dumps(inputs, indent=2) + "\n")
    kept, builder, last = EventFile(out), HistoryBuilder(), ""
    run: Callable[..., Iterator[Event]] = imported(KINDS[plan.kind].run)
    for event in run(plan.spec, inputs, control, out):
        event = finite(event)
        kept.add(event, resumed=False)
        builder.add(event)
        tell(event)
        if event["event"] == "state":
            last = event["state"]
    result = result_of(how, plan.params, builder, [source.id for source in sources])
    write_text(out / RESULT, json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return last


def _spec_now(source: Source) -> RunSpec:
    from core.run.edits import apply

    spec = source.spec
    for edit in source.edits:
        spec = completed(apply(spec, edit))
    return spec


def result_of(how: str, params: Any, builder: HistoryBuilder, sources: list[str]) -> dict[str, Any]:
    """What was made, in figures: each computed from the file of weights, or measured here."""
    history = builder.history()
    rows = [{name: value for name, value in row.items() if name != "event"} for row in history.rows]
    costs = [row for row in rows if row.get("table") == "costs"]
    own = next((row for row in costs if row["place"] is None), {})
    found: dict[str, Any] = {"how": how, "params": params, FROM: sources, "state": history.state}
    if history.reason:
        found["reason"] = history.reason
    judged = ("accuracy", "images", "loss", "calibration_error")
    counted = ("parameters", "zeros", "bytes", "packed_bytes", "multiply_adds")
    found |= {name: own.get(name) for name in (*judged, *counted)}
    found["microseconds_an_image"] = own.get("microseconds")
    found["microseconds_one_image_alone"] = own.get("microseconds_alone")
    if history.epochs and history.epochs[0]["epoch"] == 0:
        found["accuracy_at_once"] = history.epochs[0]["validation_accuracy"]
    result = history.result
    if result is not None:
        layers = result["sparsity"]["layers"]
        found["layers"] = {
            name: {"weights": layer["weights"], "zeros": round(layer["exact"] * layer["weights"])}
            for name, layer in layers.items()
        }
    return found | {"rows": rows}


def check_out(out: Path) -> None:
    """Whether a folder may take a network.

    Raises:
        SpecError: it holds a run already.
    """
    if (out / "spec.json").exists():
        raise SpecError("--out", f"{out} holds a run already; choose an empty folder.")
