"""Made-up runs to take away, and an SVG as a reader of it sees it: ticks, lines, words."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from made_up_run import events

from core.catalogues import completed
from core.export.source import Source
from core.run.events import Event
from core.run.history import build_history
from core.run.spec import parse

SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def source(
    id: str = "a" * 32, name: str = "", told: list[Event] | None = None, settings: dict | None = None
) -> Source:
    """A run of made-up events, as it is read from the store."""
    told = events() if told is None else told
    spec = completed(
        parse({"name": name, "regularisers": [{"kind": "l1"}, {"kind": "l2"}], **(settings or {})})
    )
    history = build_history(enumerate(told, 1)).history()
    return Source(id, spec, tuple(told), history, Path("nowhere"))


class Picture:
    """An SVG that was read."""

    def __init__(self, text: str) -> None:
        self.root = ElementTree.fromstring(text)

    def words(self, kind: str) -> list[str]:
        """The texts of a class, each with the lines that it has."""
        found = [each for each in self.root.iter(f"{SVG}text") if kind in each.get("class", "").split()]
        return [" ".join("".join(part.itertext()) for part in (list(each) or [each])) for each in found]

    def axis(self, name: str) -> dict[float, float]:
        """The numbers at an axis, and where in pixels each stands."""
        group = next(each for each in self.root.iter(f"{SVG}g") if each.get("data-axis") == name)
        side = name[0]
        at = {_read("".join(text.itertext())): float(text.get(side)) for text in group}
        # A number beside an upright axis is centred by its feet, a third of a letter lower.
        return {value: place - (0.35 * 12 if side == "y" else 0) for value, place in at.items()}

    def line(self, name: str) -> list[list[tuple[float, float]]]:
        """The points of a trace's line, by its pieces."""
        for group in self.traces(name):
            for path in group.iter(f"{SVG}path"):
                if path.get("class") == "line":
                    pieces = [[*map(float, _NUMBER.findall(piece))] for piece in path.get("d").split("M")[1:]]
                    return [list(zip(piece[::2], piece[1::2], strict=True)) for piece in pieces]
        return []

    def traces(self, name: str) -> list[ElementTree.Element]:
        return [each for each in self.root.iter(f"{SVG}g") if each.get("data-name") == name]


def _read(said: str) -> float:
    if said.startswith("10") and said[2:].translate(_RAISED) != said[2:]:
        return 10.0 ** int(said[2:].translate(_RAISED))
    return float(said.replace("−", "-").replace(",", ""))
