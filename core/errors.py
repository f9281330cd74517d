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
        self.where = where
        self.what = what
        super().__init__(f"{where}: {what}" if where else what)
