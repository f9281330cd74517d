"""The one error a person can cause: what was wrong, where, and how to mend it, in one sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

MOST_CHARACTERS = 1_500
_LONG_WORD = re.compile(r"(\S{200})\S+")


class SpecError(ValueError):
    """Something a person chose can't be done.

    Args:
        where: the dotted path of the field, e.g. ``train.epochs`` or ``augment.ops[0].params.degrees``;
            empty when the sentence names the place itself.
        what: what was wrong and how to mend it: one line, no trailing line break.
        code: what kind of refusal it is, such as ``too_small``; empty for one that stands alone.
        values: the numbers and names in the sentence, so that it can be said in another language.
    """

    def __init__(
        self, where: str, what: str, code: str = "", values: Mapping[str, Any] | None = None
    ) -> None:
        self.where = _one_line(where)
        self.what = _one_line(what)
        self.code = code
        self.values: Mapping[str, Any] = dict(values or {})
        super().__init__(f"{self.where}: {self.what}" if self.where else self.what)


def _one_line(text: str) -> str:
    """A field's name may be anybody's text: what can't be printed is shown as U+FFFD, and what is longer than
    any sentence of ours ends in an ellipsis."""
    short = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in short)
    return _LONG_WORD.sub(r"\1…", line)


def no_such(noun: str, name: str, known: Collection[str]) -> str:
    """What to say of a ``name`` that is none of the ``known`` ones: up to three that are spelt nearly
    so, else all of them."""
    lower = {each.lower(): each for each in known}
    near = [lower[match] for match in get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    mend = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
    return f"no {noun} called {name!r}; {mend}"
