"""The one error a person can cause: what was wrong, where, and how to mend it, in one sentence."""

from __future__ import annotations


class SpecError(ValueError):
    """Something a person chose can't be done.

    Args:
        where: the dotted path of the field, e.g. ``train.epochs`` or ``augment.ops[0].params.degrees``;
            empty when the sentence names the place itself.
        what: what was wrong and how to mend it: one line, no trailing line break.
    """

    def __init__(self, where: str, what: str) -> None:
        self.where = _one_line(where)
        self.what = _one_line(what)
        super().__init__(f"{self.where}: {self.what}" if self.where else self.what)


def _one_line(text: str) -> str:
    """A field's name may be anybody's text: what can't be printed is shown as U+FFFD."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
