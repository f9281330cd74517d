"""A run's script, section by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import fill
from typing import Any, NamedTuple

import torch

from core.augment.export.embedding import Script
from core.augment.export.literals import WIDTH, literal
from core.augment.export.versions import versions
from core.catalogue import imported
from core.catalogues import completed
from core.export.script.augmentation import augmentation
from core.export.script.loop import STEPS_TEXT, Needs, batch_text, change_text, train_text
from core.export.script.start import FILE as START
from core.export.script.start import Start, network_text, start_text
from core.export.source import Source
from core.models.build import shape_of_model
from core.models.catalogue import ARCHITECTURES
from core.models.live import SHARES
from core.optimise.catalogue import OPTIMISERS
from core.optimise.schedules import SCHEDULES
from core.regularise.catalogue import REGULARISERS
from core.regularise.regulariser import Regulariser
from core.regularise.release import acting
from core.run.edits import apply
from core.run.errors import SpecError
from core.run.spec import Purpose, RunSpec, TrainSpec
from core.text.describe import in_words, title
from core.text.escape import printable

PARTS = "core.export.script.parts."
DATA = "data.npz"
MOST_THREADS = 1024


class Section(NamedTuple):
    """A part of the script: what it is, in words, and its code."""

    heading: str
    text: str
    code: str


class Shape(NamedTuple):
    """Of the run's images."""

    channels: int
    side: int
    classes: tuple[str, ...]


def about(source: Source) -> str:
    """What the script is, in a paragraph or two."""
    name, words = title(source.spec), in_words(source.spec)
    what = printable(name if name == words else f"{name}: {words}")
    started: Mapping[str, Any] = source.history.started or {}
    made = versions() | dict(started.get("versions", {}))
    threads = started.get("threads")
    where = f" with {threads} thread{'s' if threads != 1 else ''}" if threads else ""
    same = f"On the same kind of machine{where} the figures are those of the run in Augury, bit for bit."
    if started.get("device") == "cuda":
        same = "The run was computed on a CUDA device; there its last digits may not come again."
    if source.spec.train.processes > 1:
        same = _trained_together(source.spec.train)
    does = "Reads data.npz, which lies beside it, trains, and prints one JSON object an epoch."
    return "\n\n".join(
        [
            fill(f"{what}.", WIDTH - 3),
            fill(f"{does} {same}", WIDTH - 3),
            printable(
                f"Made with Augury {made['augury']} for torch {made['torch']} and kornia {made['kornia']}."
            ),
        ]
    )


def _trained_together(spec: TrainSpec) -> str:
    """How near a script comes to a run that several processes have trained."""
    what = f"The run was trained by {spec.processes} processes, and this is one: it adds up in another order"
    if spec.gradient_precision == "float32":
        return f"{what}, so that the last digits of its figures are others."
    return (
        f"{what}, and rounds no gradients to {spec.gradient_precision} for an exchange, so that its figures "
        "are near those of the run, and not the same."
    )


def sections(
    source: Source, shape: Shape, path: Callable[[str], str], start: Start | None
) -> tuple[str, list[Section]]:
    """The import statements, and the script's sections in their order.

    Args:
        path: the expression for the path of a file that lies beside the script.
        start: where it begins, if it does not begin anew.

    Raises:
        SpecError: the run branches from another, or its spec is no longer what it was trained by.
    """
    if source.spec.train.precision != "float32":
        what = (
            f"it was trained in {source.spec.train.precision}, and a script's figures are those of float32."
        )
        raise SpecError("RUN", what)
    if not source.history.started:
        raise SpecError("RUN", "it has not begun to train, so there is nothing to repeat.")
    script = Script()
    specs = _specs(source)
    needs = _needs(specs, start)
    made = [
        _settings(specs[0], source),
        _data(script, shape, path(DATA)),
        _randomness(script),
        _network(script, specs[0], shape, network_text(start, path(START))),
    ]
    augmented = augmentation(script, [spec.augment for spec in specs], shape.side)
    values = [_values(spec, shape, needs) | augmented.settings[i] for i, spec in enumerate(specs)]
    made.append(
        _augmentation(augmented.before, augmented.settings[0], augmented.after, augmented.lines, needs)
    )
    if needs.regularises:
        made.append(_regularisers(script, specs[0], values[0]))
    made.append(_optimiser(script, specs[0], needs))
    if start is not None:
        begins = start_text(start, path(START), regularises=needs.regularises)
        made.append(Section("The start", _where(start), begins))
    made.append(_judge(script, needs))
    if needs.edits:
        made.append(_edits(source, specs, values, needs))
    for module, name in (("collections.abc", "Iterator"), ("torch", "Tensor")):
        script.use(module, name)
    for module in ("math", "torch", "json"):
        script.use(module)
    script.use("torch.nn", "functional", "F")
    made.append(
        Section(
            "Training",
            "Epoch after epoch: a new order of the images, and for each batch a step down the loss. What is "
            "drawn follows from the seed and the step, so that it repeats.",
            f"{STEPS_TEXT}\n\n\n{train_text(needs)}",
        )
    )
    return script.imports(), made


def _specs(source: Source) -> list[RunSpec]:
    """What the run was trained by: at first, and after each of its edits."""
    found = [source.spec]
    for edit in source.edits:
        found.append(completed(apply(found[-1], edit)))
    return found


def _needs(specs: list[RunSpec], start: Start | None) -> Needs:
    first = specs[0]
    kinds = [REGULARISERS[each.spec.kind] for each in acting(first.regularisers)]
    acts = [imported(each.makes) for each in kinds]
    averages = any(each.averaged is not Regulariser.averaged for each in acts)
    norms = any(each.averages for each in kinds) and bool(first.model.params.get("batch_norm"))
    params = [[each.params for each in spec.regularisers] for spec in specs]
    return Needs(
        regularises=bool(kinds),
        averages=averages,
        norms=norms,
        begins=any(each.begin_step is not Regulariser.begin_step for each in acts),
        twice=any(each.passes > 1 for each in kinds),
        smooths=any(each.name == "label_smoothing" for each in kinds),
        may_stop=any(each.ends_runs for each in kinds),
        mixes=any(spec.augment.mix is not None for spec in specs),
        edits=len(specs) > 1,
        resizes=start is not None or any(spec.train.batch_size != first.train.batch_size for spec in specs),
        changes_dropout=any(spec.model.params != first.model.params for spec in specs),
        changes_params=any(each != params[0] for each in params),
        scheduled=first.optimiser.schedule != "constant",
        releases=any(each.release_epochs for each in first.regularisers),
        order_seed=_seed_name(first, "order"),
        dropout_seed=_seed_name(first, "dropout"),
        start=start,
    )


def _seed_name(spec: RunSpec, purpose: Purpose) -> str:
    """What the script calls the seed of a purpose: of one that is held apart it has a name of its own."""
    return "SEED" if spec.seed_of(purpose) == spec.seed_of("augment") else f"{purpose.upper()}_SEED"


def _values(spec: RunSpec, shape: Shape, needs: Needs) -> dict[str, Any]:
    """What the script's names are while the run is trained by ``spec``: those that an edit may change."""
    found: dict[str, Any] = {
        "EPOCHS": spec.train.epochs,
        "BATCH_SIZE": spec.train.batch_size,
        "LEARNING_RATE": spec.optimiser.lr,
    }
    if needs.regularises:
        found["STRENGTHS"] = {name: each.strength for name, each in acting(spec.regularisers)}
    if needs.changes_params:
        found["PARAMS"] = {name: _plain(each.params) for name, each in acting(spec.regularisers)}
    if needs.changes_dropout:
        sizes = {"channels": shape.channels, "side": shape.side, "num_classes": len(shape.classes)}
        modules = shape_of_model(spec.model, **sizes).named_modules()
        found["DROPOUTS"] = {name: float(each.p) for name, each in modules if isinstance(each, SHARES)}
    return found


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in params.items()}


def _settings(spec: RunSpec, source: Source) -> Section:
    started: Mapping[str, Any] = source.history.started or {}
    # Events of a folder or an archive are hand-made as easily as not: nothing of them is code.
    device = "cuda" if started.get("device") == "cuda" else "cpu"
    threads = min(max(1, int(started.get("threads") or torch.get_num_threads())), MOST_THREADS)
    apart: list[Purpose] = ["order", "weights", "dropout"]
    held = [each for each in apart if _seed_name(spec, each) != "SEED"]
    lines = [
        f"SEED = {spec.seed_of('augment')}",
        *(f"{_seed_name(spec, each)} = {spec.seed_of(each)}" for each in held),
        f"EPOCHS = {spec.train.epochs}",
        f"BATCH_SIZE = {spec.train.batch_size}",
        f"LEARNING_RATE = {spec.optimiser.lr!r}",
        f'DEVICE = "{device}"',
        f"torch.set_num_threads({threads})  # another number gives other last bits",
    ]
    if device == "cuda":
        lines.append("torch.use_deterministic_algorithms(True, warn_only=True)")
    done = len(source.history.epochs)
    if source.history.ended and source.history.state != "finished" and done < spec.train.epochs:
        lines.append(f"# The run itself ended after epoch {done}; here it goes on.")
    return Section("Settings", "What was chosen for this run.", "\n".join(lines))


def _data(script: Script, shape: Shape, data: str) -> Section:
    script.embed("core.data.split", "statistics")
    script.use("numpy", here="np")
    script.use("pathlib", "Path")
    names = ("train_images", "train_labels", "validation_images", "validation_labels")
    lines = [
        *script.take(),
        f"data = np.load({data})",
        f"{', '.join(names)} = (",
        f"    torch.from_numpy(data[name]).to(DEVICE) for name in {literal(list(names))}",
        ")",
        'CLASSES = data["classes"].tolist()',
        "mean, std = (torch.tensor(each, device=DEVICE).view(-1, 1, 1) for each in statistics(train_images))",
    ]
    what = f"{shape.channels} × {shape.side} × {shape.side}"
    return Section(
        "Data",
        f"Images are uint8 (N, {what}); what the network sees is normalised by the mean and the standard "
        "deviation of each channel of the training images.",
        "\n\n\n".join([lines[0], "\n".join(lines[1:])]),
    )


def _randomness(script: Script) -> Section:
    script.embed("core.randomness")
    return Section(
        "Random numbers",
        "Every draw has a seed of its own, which follows from the run's seed, what it is for and the step.",
        "\n\n\n".join(script.take()),
    )


def _where(start: Start) -> str:
    if start.alone:
        return "The network that was made of others' before it was trained on."
    return "Where the run that it branches from was."


def _network(script: Script, spec: RunSpec, shape: Shape, fit: str) -> Section:
    entry = ARCHITECTURES[spec.model.arch]
    module, _, name = entry.makes.partition(":")
    script.embed(module, name)
    params = {each: list(v) if isinstance(v, tuple) else v for each, v in spec.model.params.items()}
    call = f"{name}({shape.channels}, {shape.side}, {len(shape.classes)}"
    arguments = "".join(f", {each}={literal(value)}" for each, value in params.items())
    made = (
        f'with private_draws(derive(derive({_seed_name(spec, "weights")}, "weights"), "weights")):\n'
        f"    model = {call}{arguments})\n"
        f"{fit}{fit and chr(10)}"
        "model = model.to(DEVICE).to(memory_format=torch.channels_last)  # faster for convolutions"
    )
    return Section("The network", entry.help, "\n\n\n".join([*script.take(), made]))


def _augmentation(
    before: list[str], settings: Mapping[str, Any], after: list[str], lines: list[str], needs: Needs
) -> Section:
    values = [_assigned(name, value) for name, value in settings.items()]
    blocks = [*before, *(["\n".join(values)] if values else []), *after, batch_text(lines, needs.mixes)]
    text = "Each batch is augmented anew." if lines else "This run does not augment its images."
    return Section("Batches", text, "\n\n\n".join(blocks))


def _regularisers(script: Script, spec: RunSpec, values: Mapping[str, Any]) -> Section:
    made, told = [], []
    in_order = acting(spec.regularisers)
    releases = {s.kind: (s.release_epochs, s.release_rate) for s in spec.regularisers if s.release_epochs}
    for kind, each in in_order:
        entry = REGULARISERS[each.kind]
        module, _, name = entry.makes.partition(":")
        script.embed(module, name)
        params = f'PARAMS["{kind}"]' if "PARAMS" in values else literal(_plain(each.params))
        made.append(f'    "{kind}": {name}(model, {params}),')
        told.append(f"{entry.title}: {entry.help}")
    before = script.take()
    script.embed(f"{PARTS}regularise")
    if releases:
        script.embed(f"{PARTS}released")
    twice = [kind for kind, each in in_order if REGULARISERS[each.kind].passes > 1]
    if twice:
        script.embed(f"{PARTS}twice")
    settings = [
        *([_assigned("PARAMS", values["PARAMS"])] if "PARAMS" in values else []),
        "REGULARISERS = {",
        *made,
        "}  # in the order they act",
        _assigned("STRENGTHS", values["STRENGTHS"]) + "  # λ; None: it has none",
        _assigned("SOLVERS", {kind: each.solver for kind, each in in_order}),
        _assigned("WARMUPS", {kind: (each.warmup_epochs, each.schedule) for kind, each in in_order})
        + "  # in epochs",
        *([_assigned("RELEASES", releases) + "  # epochs, and times the learning rate"] if releases else []),
        *([_assigned("TWICE", twice) + "  # go through the network twice a step"] if twice else []),
    ]
    return Section(
        "Regularisers", "  \n".join(told), "\n\n\n".join([*before, "\n".join(settings), *script.take()])
    )


def _optimiser(script: Script, spec: RunSpec, needs: Needs) -> Section:
    entry, schedule = OPTIMISERS[spec.optimiser.kind], SCHEDULES[spec.optimiser.schedule]
    script.embed("core.layers.weights")
    module, _, name = entry.makes.partition(":")
    made = f"{module}.{name}"
    if module.startswith("core."):
        script.embed(module, name)
        made = name
    blocks = script.take()
    arguments = entry.arguments(spec.optimiser.params)
    decay = arguments.pop("weight_decay", None)
    lines = [
        "weights = [part for layer in regularised_weights(model).values() for part in layer]",
        "known = {id(part) for part in weights}",
        "others = [part for part in model.parameters() if id(part) not in known]",
    ]
    if needs.begins:
        lines.append("others += [part for each in REGULARISERS.values() for part in each.own_parameters()]")
    parts = "[*weights, *others]"
    if decay is not None:
        parts = (
            f"[{{'params': weights, 'weight_decay': {decay!r}}}, {{'params': others, 'weight_decay': 0.0}}]"
        )
        parts = parts.replace("'", '"')
    told = "".join(f", {name}={literal(value)}" for name, value in arguments.items())
    lines.append(f"optimiser = {made}({parts}, lr=LEARNING_RATE{told})")
    if needs.scheduled:
        function, shape = schedule.factor.__name__, spec.optimiser.schedule_params
        script.embed(schedule.factor.__module__, function)
        blocks += script.take()
        if shape:
            script.use("functools", "partial")
            told = "".join(f", {each}={literal(value)}" for each, value in shape.items())
            function = f"partial({function}{told})"
        lines.append(f"schedule = {function}")
    text = f"{entry.title}: {entry.help} {schedule.title} rate: {schedule.help}"
    return Section("The optimiser", text, "\n\n\n".join([*blocks, "\n".join(lines)]))


def _judge(script: Script, needs: Needs) -> Section:
    script.embed(f"{PARTS}judge")
    if needs.norms:
        script.embed(f"{PARTS}norms")
    return Section(
        "How good it is",
        "Judged by images that it never trains on, plain and without dropout.",
        "\n\n\n".join(script.take()),
    )


def _edits(source: Source, specs: list[RunSpec], values: list[dict[str, Any]], needs: Needs) -> Section:
    by_step: dict[int, dict[str, Any]] = {}
    for edit, before, after in zip(source.edits, values, values[1:], strict=False):
        changed = {name: value for name, value in after.items() if value != before[name]}
        by_step.setdefault(edit["step"], {}).update(changed)
    if needs.changes_dropout:
        by_step[0] = {"DROPOUTS": values[0]["DROPOUTS"]} | by_step.get(0, {})
    first = [_assigned("DROPOUTS", values[0]["DROPOUTS"])] if needs.changes_dropout else []
    blocks = ["\n".join([*first, _assigned("EDITS", by_step)]), change_text(needs)]
    return Section(
        "Edits",
        "What was changed while it ran: after so many steps these have other values.",
        "\n\n\n".join(blocks),
    )


def _assigned(name: str, value: Any) -> str:
    return f"{name} = {literal(value, len(name) + 3)}"
