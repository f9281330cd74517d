"""A run's commands wait in a queue that any thread may fill."""

import threading
import time

import pytest

from core.run.commands import MAX_WAITING, Control, StoppedError
from core.run.errors import SpecError
from core.run.events import state
from core.run.stopping import with_reason


def test_commands_come_out_in_their_order_and_once():
    control = Control()
    asked = [{"command": "pause"}, {"command": "edit", "set": {"optimiser.lr": 0.1}}, {"command": "resume"}]
    for command in asked:
        control.post(command)
    assert control.drain() == asked and control.drain() == []


def test_a_stop_does_not_wait_for_its_turn():
    control = Control()
    control.post({"command": "pause"})
    control.check()
    assert not control.stopping
    control.post({"command": "stop"})
    assert control.stopping and control.drain() == [{"command": "pause"}]
    with pytest.raises(StoppedError):
        control.check()


def test_a_wait_ends_with_the_first_command_or_a_stop():
    for command, taken in (({"command": "step"}, [{"command": "step"}]), ({"command": "stop"}, [])):
        control = Control()
        threading.Timer(0.05, control.post, [command]).start()
        began = time.perf_counter()
        assert control.wait(30) == taken
        assert 0.04 < time.perf_counter() - began < 5
    assert Control().wait(0.01) == []


@pytest.mark.parametrize(
    "command",
    [
        {},
        {"command": "fly"},
        {"command": None},
        {"command": ["stop"]},
        {"command": "edit"},
        {"command": "edit", "set": {}},
        {"command": "edit", "set": {f"a{i}": 1 for i in range(65)}},
    ],
)
def test_what_is_no_command_is_refused(command):
    control = Control()
    with pytest.raises(SpecError):
        control.post(command)
    assert control.drain() == [] and not control.stopping


def test_only_so_many_wait():
    control = Control()
    for _ in range(MAX_WAITING):
        control.post({"command": "pause"})
    with pytest.raises(SpecError, match="wait until it does"):
        control.post({"command": "pause"})
    control.post({"command": "stop"})
    assert control.stopping


def test_the_first_who_stops_it_is_the_one_who_did():
    control = Control()
    control.post({"command": "stop", "by": "server"})
    control.post({"command": "stop", "by": "starter"})
    assert control.stopping and control.stopped_by == "server"
    strange = Control()
    strange.post({"command": "stop", "by": "192.0.2.7"})  # from another version: never shown
    assert strange.stopping and strange.stopped_by == ""
    ended = with_reason(state("stopped", "The weights are kept."), "server")
    assert ended["reason"] == "Stopped at the server's own machine. The weights are kept."
    assert with_reason(state("finished"), "server") == state("finished")
    assert with_reason(state("stopped"), "") == state("stopped")
