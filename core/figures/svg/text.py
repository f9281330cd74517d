"""Texts of figures, which are Plotly's subset of HTML, as lines of an SVG; how wide they are, about."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

FONT = "Source Sans 3, Source Sans Pro, Helvetica, Arial, DejaVu Sans, sans-serif"
INK, FAINT_INK, RULE, GRID = "#222222", "#595959", "#8A8A8A", "#E4E4E4"
LETTERS, SMALL = 13.0, 12.0  # pixels high: titles of axes, and ticks

_TAG = re.compile(r"</?(?:b|i|em|strong|sub|sup|span)(?: [^<>]*)?>")
_BREAK = re.compile(r"<br\s*/?>")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NARROW, _WIDE = frozenset("iIjlt.,:;'|!()[] f"), frozenset("mwMWGOQ%@—")


def lines_of(text: object) -> list[str]:
    """The lines of a figure's text, as plain letters."""
    return [html.unescape(_TAG.sub("", line)) for line in _BREAK.split(str(text))]


def attribute(value: str) -> str:
    """As the quoted value of an attribute."""
    return quoteattr(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", value))


def content(value: str) -> str:
    """As what stands between two tags."""
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", value))


def number(value: float) -> str:
    """A place in pixels, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def width_of(text: str, size: float) -> float:
    """In pixels, as a usual sans-serif font has it; fonts differ by some per cent."""
    return size * sum(_share(letter) for letter in text)


def _share(letter: str) -> float:
    if letter in _NARROW:
        return 0.36
    if letter in _WIDE or letter.isupper():
        return 0.72
    return 1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Its words in lines of at most so many pixels; a longer word stands in one of its own."""
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def shortened(text: str, size: float, width: float) -> str:
    """The text, or as much of it as fits and an ellipsis."""
    if width_of(text, size) <= width:
        return text
    while text and width_of(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def text_at(
    x: float,
    y: float,
    lines: Iterable[str],
    *,
    size: float = SMALL,
    colour: str = INK,
    anchor: str = "start",
    weight: str = "",
    turned: bool = False,
    kind: str = "",
) -> str:
    """Lines below each other, the first with its feet at ``y``.

    Args:
        anchor: ``start``, ``middle`` or ``end``.
        turned: a quarter to the left.
        kind: its class, for whoever looks for it.
    """
    about = f' font-size="{number(size)}" fill={attribute(colour)} text-anchor="{anchor}"'
    about += f' font-weight="{weight}"' if weight else ""
    about += f' class="{kind}"' if kind else ""
    about += f' transform="rotate(-90 {number(x)} {number(y)})"' if turned else ""
    shown = list(lines)
    if len(shown) == 1:
        return f'<text x="{number(x)}" y="{number(y)}"{about}>{content(shown[0])}</text>'
    spans = (
        f'<tspan x="{number(x)}" y="{number(y + i * 1.2 * size)}">{content(line)}</tspan>'
        for i, line in enumerate(shown)
    )
    return f"<text{about}>{''.join(spans)}</text>"
