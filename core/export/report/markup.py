"""HTML that is put together from parts. A text that is no `Markup` is escaped, so nothing slips through."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence

VOID = ("meta", "br")
# Controls, halves of letters, and what turns the direction of all that follows.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *parts: str, **attributes: str) -> Markup:
    """An element with its attributes and what it holds. A trailing underscore of an attribute's name is left
    out, as of ``class_``; one within it is a hyphen."""
    about = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    if name in VOID:
        return Markup(f"<{name}{about}>")
    return Markup(f"<{name}{about}>{joined(parts)}</{name}>")


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """Parts in a row; those that are plain text are escaped."""
    return Markup(escaped(between).join(map(escaped, parts)))


def escaped(text: str) -> Markup:
    """A text as HTML. What does not belong in one is replaced by U+FFFD."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(_UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)))


def paragraphs(text: str) -> Markup:
    """What a person wrote: an empty line begins a paragraph, any other break of a line stays one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return joined(element("p", joined(block.strip("\n").split("\n"), Markup("<br>"))) for block in blocks)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, class_: str = "") -> Markup:
    """A table whose first column names its rows."""
    top = element("tr", *(element("th", each, scope="col") for each in head))
    body = (
        element("tr", element("th", first, scope="row"), *(element("td", each) for each in rest))
        for first, *rest in rows
    )
    about = {"class_": class_} if class_ else {}
    return element("table", element("thead", top), element("tbody", *body), **about)


def small(text: str) -> Markup:
    """On a line of its own, small."""
    return element("small", text)


def file_link(words: str, name: str, content: str, media_type: str = "application/json") -> Markup:
    """A link that saves a file which the page itself holds."""
    inside = base64.b64encode(content.encode()).decode()
    return element("a", words, download=name, href=f"data:{media_type};base64,{inside}")
