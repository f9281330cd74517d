"""A refusal in the words of the form: which part, which operation, which field; never a path of ours."""

from __future__ import annotations

import re

from core.run.errors import SpecError

PARTS = {
    "data": "Data",
    "augment": "Augmentation",
    "model": "Architecture",
    "regularisers": "Regularisers",
    "optimiser": "Optimiser",
    "train": "Budget",
}
# Fields whose label in the form is not their name.
LABELS = {
    "data.name": "Images",
    "data.path": "Your own images",
    "data.side": "Side",
    "data.channels": "Colour",
    "data.fit": "Not square",
    "data.train_images": "Training images",
    "data.validation_share": "Kept for validation",
    "data.split_seed": "Split seed",
    "model.arch": "Architecture",
    "optimiser.kind": "Optimiser",
    "optimiser.lr": "Learning rate",
    "train.batch_size": "Batch size",
    "train.processes": "Processes",
    "train.gradient_precision": "Gradients exchanged in",
    "release_epochs": "Released after",
    "release_rate": "Learning rate from then on",
    "seed": "Seed",
    "name": "Name",
}
ITEMS = {"ops": "operation", "regularisers": "number"}  # of which there are several, counted from 1
SILENT = {"params", "schedule_params", "kind", "op"}


def in_words(error: SpecError) -> str:
    """E.g. ``Batch size: …`` or ``Augmentation, operation 2, degrees: …``; what has no place stands alone."""
    where = place_in_words(error.where)
    return f"{where}: {error.what}" if where else error.what[:1].upper() + error.what[1:]


def place_in_words(where: str) -> str:
    """What the form calls the field at a path, e.g. ``Learning rate``."""
    if where in LABELS:
        return LABELS[where]
    first, *rest = re.findall(r"[^.\[\]]+", where) or [""]
    if first == "params" and rest:  # of a transform: its form has no parts
        return rest[0].replace("_", " ").capitalize()
    if first not in PARTS:
        return where if re.fullmatch(r"--?\w[\w-]*|[A-Z_]+|", where) else where.replace("_", " ")
    said = [PARTS[first]]
    item = ITEMS.get(first, "")
    for word in rest:
        if word.isdecimal():
            said.append(f"{item or 'number'} {int(word) + 1}")
        elif word in ITEMS:
            item = ITEMS[word]
        elif word not in SILENT:
            said.append(LABELS.get(word, word.replace("_", " ")))
    return ", ".join(said)
