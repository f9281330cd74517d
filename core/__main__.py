"""Augury without a page: ``python -m core`` and ``run``, ``data``, ``spec``, ``catalogue``, ``path``,
``runs``, ``export``, ``import``, ``job``, ``class``, ``stop-waiting`` or ``bench``.

Exit status: 0 done; 1 the run failed; 2 the input was wrong, with one line on standard error that
says what and how to mend it. A reader that has seen enough, as ``| head``, is no error.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from core.data.own import Fit, Form
from core.export.catalogue import EXPORTS
from core.presets import PRESETS, preset
from core.run.edits import Edit, read_edits
from core.run.errors import SpecError, no_such
from core.run.spec import MAX_SPEC_BYTES, DataSpec, RunSpec, parse, with_setting
from core.transform.catalogue import TRANSFORMS

if TYPE_CHECKING:
    from core.run.commands import Control
    from core.store.store import StoredRun

MAX_EDITS_BYTES = 4 * 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        try:
            options = _parser().parse_args(arguments)
            return int(options.command(options))
        except SpecError as error:
            print(error, file=sys.stderr)
            return 2
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        _print_no_more()
        return 0


def run_command(options: argparse.Namespace) -> int:
    """Train, one JSON event a line on standard output; Ctrl-C stops within one batch."""
    from core.jobs.event_file import EventFile
    from core.jobs.worker import finite
    from core.run.checkpoints import START
    from core.run.commands import Control
    from core.run.made import copy_sources
    from core.run.stopping import with_reason
    from core.runtime import prepare_torch
    from core.train.loop import run

    prepare_torch()
    spec = _chosen(options)
    control = Control()
    signal.signal(signal.SIGINT, lambda *_: control.end("command line"))
    kept = EventFile(_make_folder(options.out)) if options.out is not None else None
    state = ""
    edits = _read_edits(options.edits) if options.edits else []
    start = _start(options.start, options.out) if options.start else None
    spec = _as_edited(spec, start) if start else spec
    if start and options.out is not None:
        shutil.copyfile(start, options.out / START)  # to take the branch away without its parent
        copy_sources(Path(options.start.rpartition("@")[0]), options.out)  # of a student its teachers
    told = {"out": options.out, "resume": options.resume, "edits": edits, "start": start}
    for event in run(spec, control, **told):
        event = with_reason(event, control.stopped_by)
        if kept is not None:
            kept.add(event, resumed=options.resume)
        _tell(json.dumps(finite(event)), control)
        if event["event"] == "state":
            state = event["state"]
            if event["reason"]:
                print(event["reason"], file=sys.stderr)
    return 0 if state in ("finished", "stopped") else 1


def data_command(options: argparse.Namespace) -> int:
    """Print what is found in a zip or a folder of a person's own images, as one JSON object."""
    from core.data.account import account_of
    from core.data.folder import read_folder

    given = {name: getattr(options, name) for name in Form._fields if getattr(options, name) is not None}
    spec = DataSpec(name="folder", **given)  # checked
    dataset = read_folder(Path(options.path), **given).told()
    print(json.dumps(asdict(account_of(dataset, spec)), ensure_ascii=False))
    return 0


def spec_command(options: argparse.Namespace) -> int:
    """Print a full spec, or the JSON schema of all specs."""
    from core.catalogues import completed

    if options.schema:
        print(json.dumps(RunSpec.model_json_schema(), indent=2))
    else:
        print(completed(preset(options.preset)).to_json(indent=2))
    return 0


def catalogue_command(options: argparse.Namespace) -> int:
    """Print every dataset, operation, architecture, regulariser, optimiser and schedule."""
    from core.catalogues import listing

    print(json.dumps(listing(), indent=2))
    return 0


def path_command(options: argparse.Namespace) -> int:
    """Try values of λ for one regulariser of a spec, quickly: one JSON event a line on standard output."""
    from core.jobs.worker import finite
    from core.run.commands import Control
    from core.run.stopping import with_reason
    from core.runtime import prepare_torch
    from core.study.strength_path import path_events

    prepare_torch()
    spec = _chosen(options)
    control = Control()
    signal.signal(signal.SIGINT, lambda *_: control.end("command line"))
    for event in path_events(
        spec, control, regulariser=options.regulariser, lambdas=_numbers(options.lambdas)
    ):
        event = with_reason(event, control.stopped_by)
        _tell(json.dumps(finite(event)), control)
    if event["reason"]:
        print(event["reason"], file=sys.stderr)
    return 0 if event["state"] in ("finished", "stopped") else 1


def study_command(options: argparse.Namespace) -> int:
    """Answer a study: one JSON event a cell on standard output; Ctrl-C pauses it."""
    from core.study.command import run_study
    from core.study.examples import example
    from core.study.spec import MAX_STUDY_BYTES, parse_study

    if options.example:
        print(json.dumps(example(options.example), indent=2, ensure_ascii=False))
        return 0
    if not options.study or options.out is None:
        raise SpecError("", "Give a study and --out DIR, or --example QUESTION to see one.")
    study = parse_study(_read_text(options.study, MAX_STUDY_BYTES + 1))
    return run_study(study, _make_folder(options.out), lambda line: print(line, flush=True))


def job_command(options: argparse.Namespace) -> int:
    """Make a network of trained ones: one JSON event a line on standard output; Ctrl-C stops it."""
    from core.making import check_out, example, make
    from core.run.commands import Control
    from core.runtime import prepare_torch
    from core.transform.plan import MOST_JOB_BYTES, read_asked

    if options.example:
        print(json.dumps(example(options.how), indent=2, ensure_ascii=False))
        return 0
    if not options.job or options.out is None:
        raise SpecError("", "Give a job and --out DIR, or --example to see one.")
    asked = read_asked(_read_text(options.job, MOST_JOB_BYTES + 1))
    out = _make_folder(options.out)
    check_out(out)
    prepare_torch()
    control = Control()
    signal.signal(signal.SIGINT, lambda *_: control.end("command line"))
    state = make(options.how, asked, out, control, lambda event: _tell(json.dumps(event), control))
    return 0 if state in ("finished", "stopped") else 1


def class_command(options: argparse.Namespace) -> int:
    """Serve Augury to all on this network; print the link, and a QR code of it."""
    from core.classroom import invitation, server_command

    command = server_command(options.port, options.host)
    print(invitation(options.port, options.host), flush=True)
    os.execv(command[0], command)


def stop_waiting_command(_options: argparse.Namespace) -> int:
    """End all runs that wait in the queue; what runs goes on."""
    from core.jobs.queue import Queue
    from core.run.stopping import ALL_THAT_WAITED, stopped_early
    from core.store.store import Store

    reason = stopped_early("command line", ALL_THAT_WAITED)
    count = Queue(Store(os.environ.get("AUGURY_DATABASE_URL"))).end_all_waiting(reason)
    print(f"{count} {'run' if count == 1 else 'runs'} that waited will not start.")
    return 0


def runs_command(options: argparse.Namespace) -> int:
    """Print the runs in the store, the newest first: a table, or one JSON object a line."""
    from core.listing import as_table, as_values
    from core.store.find import MOST_SHOWN, Query
    from core.store.store import Store

    store = Store(os.environ.get("AUGURY_DATABASE_URL"))
    words = options.search.encode("utf-8", "replace").decode("utf-8")
    found: list[StoredRun] = []
    for offset in range(0, options.limit, MOST_SHOWN):
        page, total = store.find(Query(words, cells=True), min(MOST_SHOWN, options.limit - offset), offset)
        found += page
        if offset + MOST_SHOWN >= total:
            break
    store.close()
    if options.json:
        for run in found:
            print(json.dumps(as_values(run)))
    else:
        print(as_table(found) if found else "No run is like this." if words else "No run is stored here.")
    return 0


def export_command(options: argparse.Namespace) -> int:
    """Write a run, or several, as a file; print where each file is."""
    from core.catalogue import look_up
    from core.export.source import Asked, open_sources
    from core.export.write import export
    from core.runtime import prepare_torch

    if look_up(EXPORTS, options.kind, "--as", "kind of export").computes:
        prepare_torch()
    text = {name: said for name in ("author", "question", "conclusion") if (said := getattr(options, name))}
    asked = Asked(open_sources(options.runs), text)
    for path in export(options.kind, asked, options.out):
        print(path)
    return 0


def import_command(options: argparse.Namespace) -> int:
    """Put the runs of an archive into the store; print their ids."""
    from core.export.archive.importing import import_here

    for run in import_here(options.archive):
        print(run.id)
        if not run.is_new:
            print(f"The run {run.id} was here already; nothing is changed.", file=sys.stderr)
        elif run.id != run.was:
            print(f"Another run is called {run.was}; this one is now {run.id}.", file=sys.stderr)
    return 0


def worker_command(options: argparse.Namespace) -> int:
    """Compute jobs that come in on standard input; what the app starts, not a person."""
    from core.jobs.worker import serve

    return serve()


def relay_command(options: argparse.Namespace) -> int:
    """Pass jobs that come in on standard input on to a Ray cluster; what the app starts, not a person."""
    from core.jobs.executors.ray_relay import serve

    return serve()


def interactive_command(options: argparse.Namespace) -> int:
    """Answer what pages ask on standard input; what the app starts, not a person."""
    from core.interactive.worker import serve

    return serve()


def decode_command(options: argparse.Namespace) -> int:
    """Decode visitors' images as pages ask on standard input; what the app starts, not a person."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each of its threads reserves memory
    from core.interactive.decoding import MOST_BYTES, load_answers
    from core.interactive.worker import serve

    return serve(load_answers, most_bytes=MOST_BYTES)


def bench_command(options: argparse.Namespace) -> int:
    """Measure training and augmentation, each against other ways to do it, in one run."""
    from core.bench import bench

    return bench(options.json, options.only, options.rounds)


def _tell(line: str, control: Control) -> None:
    """Print an event at once. If nobody reads on, nothing more is printed, and training stops."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        _print_no_more()
        control.stop.set()


def _print_no_more() -> None:
    """What is still to be printed goes nowhere, also what Python holds back until it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _read_spec(source: str) -> RunSpec:
    """A spec from a file, from standard input (``-``), or a preset by its name."""
    if source == "-":
        return parse(sys.stdin.read(MAX_SPEC_BYTES + 1))
    path = Path(source)
    if source in PRESETS and not path.exists():
        return preset(source)
    try:
        with path.open(encoding="utf-8") as file:
            return parse(file.read(MAX_SPEC_BYTES + 1))
    except FileNotFoundError:
        raise SpecError("", f"There is no such file, and {no_such('preset', source, PRESETS)}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SpecError(
            "", f"{source} can't be read: {reason}. Give a JSON file, '-', or a preset: {', '.join(PRESETS)}."
        ) from None


def _read_text(source: str, most: int) -> str:
    """The text of a file, or of standard input (``-``)."""
    if source == "-":
        return sys.stdin.read(most)
    try:
        with Path(source).open(encoding="utf-8") as file:
            return file.read(most)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SpecError("", f"{source} can't be read: {reason}.") from None


def _read_edits(source: str) -> list[Edit]:
    """A run's edits from a JSON file."""
    try:
        with Path(source).open(encoding="utf-8") as file:
            return read_edits(file.read(MAX_EDITS_BYTES))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SpecError("--edits", f"{source} can't be read: {reason}.") from None


def _chosen(options: argparse.Namespace) -> RunSpec:
    """The spec that was given, with what ``--set`` changes. Another seed is not another exam."""
    spec = _read_spec(options.spec)
    split_seed = spec.split_seed
    spec = with_setting(spec, *options.set)
    if spec.data.split_seed is None and spec.seed != split_seed:
        spec = with_setting(spec, f"data.split_seed={split_seed}")
    return spec


def _start(source: str, out: Path | None) -> Path:
    """The checkpoint that ``DIR@EPOCH`` names; a run in ``out`` must not take its place."""
    from core.run.checkpoints import after_epoch

    folder, at, epoch = source.rpartition("@")
    if not at or not epoch.isdecimal() or len(epoch) > 4:
        raise SpecError("--from", f"{source!r} is not a folder and an epoch, like runs/first@6.")
    if out is not None and out.resolve() == Path(folder).resolve():
        raise SpecError("--out", "a branch needs a folder of its own; this one holds the run it begins at.")
    return after_epoch(Path(folder), int(epoch))


def _as_edited(spec: RunSpec, start: Path) -> RunSpec:
    """What a branch trains that was asked for with the spec its parent began with: the parent's, with the
    edits that it had made by then."""
    from core.catalogues import completed
    from core.run.checkpoints import UNREADABLE, edits_of, head, spec_of

    try:
        metadata = head(start)
    except UNREADABLE:  # whoever begins there says so
        return spec
    if not edits_of(metadata) or completed(spec).choices() != completed(parse(metadata["spec"])).choices():
        return spec
    print("The parent's edits up to there are kept; another spec has its own values.", file=sys.stderr)
    return spec_of(metadata)


def _numbers(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(item) for item in text.split(",")]
    except ValueError:
        raise SpecError("--lambdas", f"{text!r} is no list of numbers like 1e-5,1e-4,1e-3.") from None


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError("--out", f"{folder} can't be made: {error.strerror}.") from None
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m core", description="Augury without a page.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="train a spec; one JSON event a line on standard output")
    run.add_argument("spec", metavar="SPEC", help="a JSON file, '-' for standard input, or a preset's name")
    run.add_argument("--out", type=Path, metavar="DIR", help="keep weights, spec and events here")
    run.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    run.add_argument(
        "--from",
        dest="start",
        metavar="DIR@EPOCH",
        help="branch from the run in DIR as it was after an epoch",
    )
    run.add_argument("--edits", metavar="FILE", help='changes at their steps: [{"step": n, "set": {…}}, …]')
    run.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field: train.epochs=3"
    )
    run.set_defaults(command=run_command)

    spec = commands.add_parser("spec", help="print a full spec, or the JSON schema")
    spec.add_argument("preset", nargs="?", default="baseline", help=", ".join(PRESETS))
    spec.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    spec.set_defaults(command=spec_command)

    data = commands.add_parser("data", help="print what is found in a zip or folder of images, as JSON")
    data.add_argument("path", help="a zip, or a folder, with one folder a class")
    own = "(default: what suits the images)"
    data.add_argument("--side", type=int, help=f"pixels a side {own}")
    data.add_argument("--channels", type=int, choices=(1, 3), help=f"1 for grey, 3 for colour {own}")
    data.add_argument(
        "--fit", choices=get_args(Fit), help="what becomes of an image that is not square (default: crop)"
    )
    data.set_defaults(command=data_command)
    catalogue = commands.add_parser("catalogue", help="print all that can be chosen, as JSON")
    catalogue.set_defaults(command=catalogue_command)

    runs = commands.add_parser("runs", help="list the runs in the store, the newest first")
    runs.add_argument("--json", action="store_true", help="one JSON object a line")
    runs.add_argument("--search", default="", metavar="WORDS", help="only those with all of these words")
    runs.add_argument("--limit", type=_count, default=100, metavar="N", help="at most so many (default: 100)")
    runs.set_defaults(command=runs_command)

    export = commands.add_parser("export", help="write a run as a script, a table, a network for others …")
    export.add_argument("runs", metavar="RUN", nargs="+", help="its id, or a folder of `run --out`")
    export.add_argument("--as", dest="kind", required=True, metavar="KIND", help=", ".join(EXPORTS))
    export.add_argument("--out", type=Path, required=True, metavar="PATH", help="a file, or a folder")
    export.add_argument("--author", default="", help="for a report: who hands it in")
    export.add_argument("--question", default="", help="for a report: what was asked")
    export.add_argument("--conclusion", default="", help="for a report: what came out")
    export.set_defaults(command=export_command)

    imports = commands.add_parser("import", help="put the runs of an archive into the store; print their ids")
    imports.add_argument("archive", type=Path, metavar="ARCHIVE", help="what `export --as archive` wrote")
    imports.set_defaults(command=import_command)

    path = commands.add_parser("path", help="try values of λ for one regulariser of a spec, quickly")
    path.add_argument("spec", metavar="SPEC", help="a JSON file, '-' for standard input, or a preset's name")
    path.add_argument(
        "--regulariser", type=int, default=0, metavar="N", help="which of the spec's, counted from 0"
    )
    path.add_argument(
        "--lambdas", metavar="A,B,…", help="the values of λ; without, 0 and eight around the default"
    )
    path.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field: data.name=digits"
    )
    path.set_defaults(command=path_command)

    study = commands.add_parser("study", help="answer a question by many runs: which λ, does it help …")
    study.add_argument("study", nargs="?", metavar="STUDY", help="a JSON file, or '-' for standard input")
    study.add_argument("--out", type=Path, metavar="DIR", help="where the table and the answer are kept")
    study.add_argument(
        "--example", metavar="QUESTION", help="print one to edit: strength, ablation, search …"
    )
    study.set_defaults(command=study_command)

    job = commands.add_parser("job", help="make a network of trained ones: prune, shrink, quantise …")
    job.add_argument("how", choices=tuple(TRANSFORMS), help="what is made")
    job.add_argument("job", nargs="?", metavar="JOB", help="a JSON file, or '-' for standard input")
    job.add_argument("--out", type=Path, metavar="DIR", help="where the network and the result are kept")
    job.add_argument("--example", action="store_true", help="print a job to edit")
    job.set_defaults(command=job_command)

    school = commands.add_parser("class", help="serve the app to all on this network (docs/class.md)")
    school.add_argument("--port", type=int, choices=range(1, 65536), default=8501, metavar="PORT")
    school.add_argument("--host", metavar="NAME", help="a name by which the class finds this machine")
    school.set_defaults(command=class_command)

    stop_waiting = commands.add_parser("stop-waiting", help="end all runs that wait in the queue")
    stop_waiting.set_defaults(command=stop_waiting_command)

    worker = commands.add_parser("worker", help="compute jobs from standard input (the app starts this)")
    worker.set_defaults(command=worker_command)

    relay = commands.add_parser("relay", help="pass jobs on to a Ray cluster (the app starts this)")
    relay.set_defaults(command=relay_command)

    interactive = commands.add_parser("interactive", help="answer pages' questions (the app starts this)")
    interactive.set_defaults(command=interactive_command)

    decode = commands.add_parser("decode", help="decode visitors' images (the app starts this)")
    decode.set_defaults(command=decode_command)

    bench = commands.add_parser("bench", help="print the benchmark tables")
    bench.add_argument("--json", action="store_true", help="as JSON")
    bench.add_argument("--only", choices=("training", "augment"), help="one of the two tables")
    bench.add_argument("--rounds", type=int, choices=(1, 2, 3, 5, 10), help="how often each way is measured")
    bench.set_defaults(command=bench_command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
