"""What a student begins with, and what its teachers know beyond the labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from core.measure.calibration import calibration_error
from core.train.evaluation import evaluate
from core.train.sprite import sprite
from core.train.teachers import Ensemble
from core.transform.network import Network, Sources

SHOWN = 12  # images whose soft labels are told


def student(sources: Sources, params: Mapping[str, Any]) -> Network:
    """Weights as its spec draws them. Rows say how good each teacher is, and what they answer together."""
    rows: list[dict[str, Any]] = []
    for number, session in enumerate(sources.sessions):
        sources.check()
        judged = evaluate(session, session.validation)
        rows.append(
            {
                "table": "compared",
                "what": f"teacher {number + 1}" if len(sources.sessions) > 1 else "teacher",
                "place": number,
                "accuracy": judged.accuracy,
                "loss": judged.loss,
                "images": len(judged.correct),
                "calibration_error": calibration_error(judged.confidence, judged.correct),
            }
        )
    return Network(None, rows + _dark_knowledge(sources, params["temperature"]))


@torch.no_grad()
def _dark_knowledge(sources: Sources, temperature: float) -> list[dict[str, Any]]:
    """Of the validation images that the teachers are least sure of, and of as many others: all shares."""
    session = sources.first
    kept = session.validation
    asked = Ensemble(sources.sessions)
    images = kept.images[:2000].float().div_(255)
    hard = asked(images, 1.0)
    order = hard.amax(1).argsort()
    chosen = [*order[: SHOWN // 2].tolist(), *order[-SHOWN // 2 :].tolist()]
    soft = asked(images[chosen], temperature)
    return [
        {
            "table": "soft labels",
            "place": int(session.places[i]),
            "image": sprite(kept.images[i : i + 1].cpu()),
            "label": kept.classes[int(kept.labels[i])],
            "classes": list(kept.classes[:30]),
            "hard": [round(float(share), 4) for share in hard[i][:30]],
            "soft": [round(float(share), 4) for share in soft[number][:30]],
        }
        for number, i in enumerate(chosen)
    ]
