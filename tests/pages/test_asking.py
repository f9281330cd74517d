"""Long pipelines have a worker of their own, and nobody's answer waits for somebody else's."""

import threading
import time
from types import SimpleNamespace

import pytest

from core.interactive.client import Interactive
from core.run.spec import AugmentSpec, OpSpec, RunSpec
from pages.features.frame import asking
from pages.features.lab import look
from pages.features.lab.look import Look


def augment(count, enabled=True):
    return AugmentSpec(ops=tuple(OpSpec(op="RandomAffine", enabled=enabled) for _ in range(count)))


@pytest.mark.parametrize(
    ("args", "slow"),
    [
        ({"augment": augment(asking.QUICK_OPS)}, False),
        ({"augment": augment(asking.QUICK_OPS + 1)}, True),
        ({"augment": augment(60, enabled=False)}, False),
        ({"spec": RunSpec(augment=augment(asking.QUICK_OPS + 1))}, True),
        ({"source": {"photos": 224}}, False),
    ],
)
def test_a_long_pipeline_goes_to_the_slow_worker(monkeypatch, args, slow):
    asked = []

    class Worker:
        def __init__(self, name):
            self.name = name

        def wait_ready(self, timeout):
            return True

        def ask(self, visitor, kind, args, **how):
            asked.append(self.name)
            return {}

    monkeypatch.setattr(asking, "shared_interactive", lambda: Worker("quick"))
    monkeypatch.setattr(asking, "shared_slow", lambda: Worker("slow"))
    asking.ask("preview", **args)
    asking.ask("predictions", **args)
    assert asked == ["slow" if slow else "quick", "slow"]


def test_two_visitors_previews_do_not_wait_for_each_other(monkeypatch):
    """Python 3.11's `functools.cached_property` has one lock for all objects of a class."""
    waits, done = threading.Event(), []

    def ask(kind, **question):
        if question["seed"] == 0:
            waits.wait(20)
        done.append(question["seed"])
        return {"pictures": (), "drawn": (), "captions": (), "seconds": 0.0, "device": "cpu"}

    monkeypatch.setattr(look, "ask", ask)
    images = SimpleNamespace(source={})
    looks = [Look(RunSpec(seed=seed), images, 0) for seed in (0, 1)]
    threads = [threading.Thread(target=lambda each=each: each.shown) for each in looks]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    threads[1].join(10)
    assert done == [1]
    waits.set()
    threads[0].join(10)
    assert done == [1, 0] and looks[0].shown is looks[0].shown and len(done) == 2


def test_a_worker_that_nobody_asks_is_let_go_and_another_starts_when_somebody_does():
    from tests.interactive.test_interactive_client import WORKER

    interactive = Interactive(WORKER, idle_seconds=0.5)
    try:
        first = interactive.ask("a", "echo", {})["pid"]
        end = time.monotonic() + 20
        while interactive.wait_ready(0) and time.monotonic() < end:
            time.sleep(0.1)
        assert not interactive.wait_ready(1.5)  # and none starts by itself
        assert interactive.ask("a", "echo", {"n": 1})["pid"] != first
    finally:
        interactive.close()
