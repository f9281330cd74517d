"""Text of other people's as text, wherever Markdown or HTML is drawn.

A name in a link, a class name in a zip, an error sentence that repeats either: all that is not written
in this repository goes through one of these two functions before it is drawn.
"""

from __future__ import annotations

import html
import re

# Streamlit looks for addresses, emoji, icons and arrows in text whose escapes are already undone, so a
# backslash does not stop it. An empty directive does: it ends the text there, and draws nothing.
_CUT = ":small[]"
_FOUND_LATER = re.compile(
    r":(?=\S)"  # http://…, :smile:, :material/star:
    r"|@"  # me@example.org
    r"|www(?=\.)"
    r"|-(?=\\?[->])|<(?=\\?[-=])|[>~](?=\\?=)",  # -->, <=, ~=
    re.IGNORECASE,
)
_SYNTAX = re.compile(r"[\\`*_{}\[\]#!|~$<>&:]")
_BLOCK = re.compile(r"^(\d*)([-+=.)])")  # would begin a list or underline a heading


def plain(text: str) -> str:
    """Markdown that Streamlit draws as exactly ``text``, on one line: every run of white space is a space."""
    line = " ".join(text.split())
    line = _SYNTAX.sub(r"\\\g<0>", line)
    line = _BLOCK.sub(r"\1\\\2", line)
    return _FOUND_LATER.sub(rf"\g<0>{_CUT}", line)


def plain_but_bold(text: str) -> str:
    """The same of our own sentence in which ``**…**`` is bold; a name in it may be anybody's text, and what
    it has of such marks is none."""
    return "**".join(_kept_apart(part) for part in text.split("**"))


def _kept_apart(part: str) -> str:
    """`plain`, with the spaces at the ends that it drops."""
    core = part.strip()
    start = part.index(core) if core else 0
    return f"{part[:start]}{plain(core)}{part[start + len(core) :]}" if core else part


def plain_html(text: str) -> str:
    """``text`` for Plotly, whose names, ticks and hovers take a subset of HTML: on one line."""
    return html.escape(" ".join(text.split()), quote=False)


def printable(text: str) -> str:
    """On one line, without what moves a cursor, changes the direction of writing, or ends a file (NUL)."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def cell(text: str) -> str:
    """On one line, with an apostrophe before what a table program would take for a formula."""
    line = " ".join(text.splitlines())
    return f"'{line}" if line[:1] in ("=", "+", "-", "@", "\t") else line
