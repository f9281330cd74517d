"""A spec in words and in KaTeX, for a person."""

from __future__ import annotations

from pathlib import PurePath

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.catalogue import title_of
from core.data.catalogue import DATASETS
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS
from core.regularise.catalogue import REGULARISERS
from core.run.spec import AugmentSpec, DataSpec, RegulariserSpec, RunSpec


def in_words(spec: RunSpec) -> str:
    """One line, e.g. ``mnist5k · cnn 32-64-128 · affine + CutMix · L1 (lasso) 0.001 proximal``."""
    parts = [data_in_words(spec.data), architecture_in_words(spec), augmentation_in_words(spec.augment)]
    parts += [regulariser_in_words(regulariser) for regulariser in spec.regularisers]
    return " · ".join(part for part in parts if part)


def data_in_words(spec: DataSpec) -> str:
    """E.g. ``mnist5k``, or ``own images 3fa2``: of an upload the end of its digest, else its file's name."""
    if spec.path is None:
        return "own images" if spec.name in DATASETS and DATASETS[spec.name].own else spec.name
    which = spec.path[-4:] if spec.path.startswith("upload:") else PurePath(spec.path).name
    return f"own images {which[:24]}".strip()


def augmentation_in_words(spec: AugmentSpec) -> str:
    """E.g. ``affine + erasing + CutMix at strength 0.5``; more than three operations are counted."""
    ops = [title_of(OPERATIONS, op.op).lower() for op in spec.ops if op.enabled]
    parts = ops if len(ops) <= 3 else [f"{len(ops)} augmentations"]
    if spec.mix is not None:
        parts = [*parts, title_of(MIXES, spec.mix.op)]
    strength = f" at strength {spec.strength:g}" if parts and spec.strength != 1 else ""
    return " + ".join(parts) + strength


def budget(spec: RunSpec) -> str:
    """What a completed spec may use, e.g. ``300 images · 30 epochs · Adam 0.001``; alike in what compares."""
    images = spec.data.train_images
    data = f"{images:,} images" if images else "all images"
    epochs = f"{spec.train.epochs} {'epoch' if spec.train.epochs == 1 else 'epochs'}"
    optimiser = f"{title_of(OPTIMISERS, spec.optimiser.kind)} {spec.optimiser.lr:g}"
    return " · ".join([data, epochs, optimiser])


def title(spec: RunSpec) -> str:
    """What to call a run: its name; without one what sets it apart, e.g. ``cnn 32-64-128 · L1 (lasso) 0.001
    proximal``."""
    return spec.name or in_words(spec).removeprefix("" if spec.data.path else f"{spec.data.name} · ")


def objective(spec: RunSpec) -> str:
    """What is minimised, in KaTeX: the cross-entropy and each penalty that is a term of the loss. Of
    several each λ is named after its own."""
    entries = [REGULARISERS[each.kind] for each in spec.regularisers]
    penalties = [entry for entry in entries if entry.solvers]
    terms = [r"\mathcal{L} = \operatorname{CE}(f_w(x), y)"]
    for entry in penalties:
        name = rf"\lambda_{{\text{{{entry.short}}}}}"
        terms.append(entry.formula.replace(r"\lambda", name) if len(penalties) > 1 else entry.formula)
    return " + ".join(terms)


def architecture_in_words(spec: RunSpec) -> str:
    """E.g. ``cnn 32-64-128``."""
    entry = ARCHITECTURES.get(spec.model.arch)
    sizes = spec.model.params.get(entry.size) if entry else None
    shown = "-".join(map(str, sizes)) if isinstance(sizes, list | tuple) else str(sizes or "")
    return f"{spec.model.arch} {shown}".strip()


def regulariser_in_words(spec: RegulariserSpec) -> str:
    """E.g. ``L1 (lasso) 0.001 proximal released after 28 epochs``."""
    strength = spec.strength
    if strength is None and spec.kind in REGULARISERS:
        strength = REGULARISERS[spec.kind].default_strength
    shown = "" if strength is None else f"{strength:g}"
    released = f"released after {spec.release_epochs} epochs" if spec.release_epochs else ""
    return " ".join(filter(None, [title_of(REGULARISERS, spec.kind), shown, spec.solver, released]))
