"""A run's predictions as a file to take home."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from core.text.escape import cell

SURE = ("probability_of_prediction", "probability_of_label")
COLUMNS = ("image_index", "label", "prediction", "correct", *SURE)


def predictions_csv(found: Mapping[str, Any], of: Mapping[str, Any]) -> str:
    """A row a validation image: its place in the dataset, what it is, what the network names, how sure it is.

    Args:
        found: `core.probe.predictions.Predictions` as JSON.
        of: which run it is, from `core.figures.epochs_csv.identity`.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*of, *COLUMNS])
    classes = found["classes"]
    rows = (found[name] for name in ("places", "labels", "answers", "confidence", "chance"))
    for place, label, answer, confidence, chance in zip(*rows, strict=True):
        writer.writerow(
            [
                *of.values(),
                place,
                cell(classes[label]),
                cell(classes[answer]),
                int(label == answer),
                confidence,
                chance,
            ]
        )
    return stream.getvalue()


def shares_csv(
    classes: Sequence[str],
    places: Sequence[int],
    labels: Sequence[int],
    answers: Sequence[int],
    shares: Sequence[Sequence[float]],
) -> str:
    """A row an image: its place in the dataset, what it is, what the network names, and for each class, in a
    column that is called by its name, the softmax's probability.

    A name that a table program would take for a formula has an apostrophe before it; a column whose name is
    taken already says ``(class)`` as well.

    Args:
        labels, answers: indices into ``classes``.
        shares: for each image one a class, in [0, 1].
    """
    columns = ["image", "label", "predicted"]
    for each in classes:
        column = cell(each)
        while column in columns:
            column += " (class)"
        columns.append(column)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for place, label, answer, row in zip(places, labels, answers, shares, strict=True):
        writer.writerow([place, cell(classes[label]), cell(classes[answer]), *row])
    return stream.getvalue()


def how_to_load(found: Mapping[str, Any], stem: str) -> str:
    """Python that loads a run's weights and asks its network.

    Args:
        found: as above.
        stem: of the names of the downloaded files.
    """
    images = f"channels={found['channels']}, side={found['side']}"
    shape = f"{images}, num_classes={len(found['classes'])}"
    mean, std = ([round(each, 6) for each in found[name]] for name in ("mean", "std"))
    return f'''import json, torch                                     # inside a copy of Augury
from safetensors.torch import load_file
from core.models.build import build_model
from core.models.fit import fit_to, shapes_of
from core.run.spec import parse

spec = parse(json.load(open("{stem}.json")))
weights = load_file("{stem}.safetensors")
model = build_model(spec.model, {shape}, seed=0)
fit_to(model, shapes_of(weights), {images})  # it may have become smaller
model.load_state_dict(weights)
mean, std = (torch.tensor(each).view(-1, 1, 1) for each in ({mean}, {std}))
images = torch.rand(1, {found["channels"]}, {found["side"]}, {found["side"]})  # yours, from 0 to 1
print(model.eval()((images - mean) / std).softmax(1))
'''
