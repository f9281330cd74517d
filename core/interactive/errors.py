"""Why a question of a page has no answer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from core.run.errors import SpecError


class OvertakenError(Exception):
    """A newer question of the same visitor took this one's place: its page is drawn anew already."""


class NoAnswerError(SpecError):
    """The worker ended or took too long; one sentence for the page."""

    def __init__(self, sentence: str) -> None:
        super().__init__("", sentence)


class MissingPicturesError(Exception):
    """Own pictures that the worker was not sent, or no longer has: send them, then ask again."""

    def __init__(self, digests: Collection[str]) -> None:
        self.digests = tuple(digests)
        super().__init__(f"{len(digests)} pictures are to be sent again.")


class MissingDatasetError(Exception):
    """A person's own images that nobody has decoded yet: have it done, then ask again.

    Args:
        data: the fields of `core.run.spec.DataSpec` that say which.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        super().__init__("A person's own images are to be decoded first.")
