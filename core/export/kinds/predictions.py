"""What the network says of every validation image, with the probability of each class."""

from __future__ import annotations

from pathlib import Path

from core.export.source import Asked
from core.figures.predictions import shares_csv
from core.probe.label_damage import open_trained
from core.probe.predictions import shares


def write(asked: Asked, folder: Path) -> None:
    """``predictions.csv``.

    Raises:
        SpecError: the run's images or weights are gone.
    """
    session = open_trained(asked.run.spec, asked.run.folder)
    kept, found = session.validation, shares(session)
    text = shares_csv(
        kept.classes, session.places.tolist(), kept.labels.tolist(), found.argmax(1).tolist(), found.tolist()
    )
    (folder / "predictions.csv").write_text(text, encoding="utf-8")
