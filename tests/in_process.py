"""Answers of the interactive worker given by the test itself, which knows what it has changed."""

import json

from core.interactive import answers as previews
from core.interactive import decoding

ANSWERS = previews.ANSWERS | decoding.ANSWERS


class InProcess:
    """Stands for `core.interactive.client.Interactive`."""

    def ask(self, visitor, kind, args, **how):
        return json.loads(json.dumps(ANSWERS[kind](json.dumps(args).encode())))

    def warm(self):
        """There is no worker."""

    def wait_ready(self, timeout):
        return True


def answers(monkeypatch):
    """Have every page ask here."""
    for asks in ("asking", "setup"):
        monkeypatch.setattr(f"pages.features.frame.{asks}.shared_interactive", InProcess)
    monkeypatch.setattr("pages.features.frame.asking.shared_slow", InProcess)
    monkeypatch.setattr("pages.features.frame.asking.shared_decoder", lambda lane: InProcess())
