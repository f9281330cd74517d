"""Who is answered and in which order; overtaking, faults, kills; nobody but the asker notices."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from core.interactive.client import Interactive
from core.interactive.errors import MissingPicturesError, NoAnswerError, OvertakenError
from core.run.errors import SpecError
from tests.interactive.fake_answers import BROKEN, WORKER, worker_processes


@pytest.fixture
def interactive():
    interactive = Interactive(WORKER)
    yield interactive
    interactive.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(32) as pool:
        yield pool


def busy(interactive, pool, seconds=0.5):
    """The worker computes for somebody, so that what is asked next has to wait; his answer."""
    interactive.ask("x", "echo", {"first": True})
    first = pool.submit(interactive.ask, "x", "sleep", {"seconds": seconds})
    waiting(interactive, 0)
    time.sleep(0.05)
    return first


def waiting(interactive, count):
    """Wait until so many questions wait."""
    deadline = time.monotonic() + 20
    while len(interactive._waiting) != count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def asked(interactive, pool, *questions):
    """Ask each (visitor, number) one after the other, without waiting for answers."""
    before, futures = len(interactive._waiting), []
    for i, (visitor, n) in enumerate(questions, 1):
        futures.append(pool.submit(interactive.ask, visitor, "echo", {"n": n}, slot=f"slot {n}"))
        waiting(interactive, before + i)
    return futures


def test_an_answer_comes_back_and_a_librarys_prints_do_not_disturb(interactive):
    answer = interactive.ask("a", "shout", {"n": 3})
    assert answer["n"] == 3
    assert answer["pid"] == worker_processes()[0].pid


def test_refusals_and_faults_are_told_apart(interactive):
    with pytest.raises(SpecError) as refused:
        interactive.ask("a", "refuse", {})
    assert (refused.value.where, refused.value.what) == ("augment.ops[0].p", "p must be at most 1.")
    with pytest.raises(NoAnswerError, match="ValueError: no such thing"):
        interactive.ask("a", "fail", {})
    with pytest.raises(MissingPicturesError) as missing:
        interactive.ask("a", "missing", {})
    assert missing.value.digests == ("a", "b")
    assert interactive.ask("a", "echo", {"n": 1})["n"] == 1


def test_visitors_take_turns_and_each_ones_newest_comes_first(interactive, pool):
    first = busy(interactive, pool)
    futures = asked(interactive, pool, ("a", 1), ("a", 2), ("b", 3), ("x", 4), ("a", 5), ("b", 6))
    answers = sorted((future.result(20) for future in futures), key=lambda answer: answer["at"])
    assert [answer["n"] for answer in answers] == [5, 6, 4, 2, 3, 1]
    first.result(20)


def test_a_newer_question_drops_the_older_of_the_same_visitor_and_slot(interactive, pool):
    first = busy(interactive, pool)
    old = pool.submit(interactive.ask, "a", "echo", {"n": 1})
    waiting(interactive, 1)
    others = pool.submit(interactive.ask, "b", "echo", {"n": 2})
    waiting(interactive, 2)
    new = pool.submit(interactive.ask, "a", "echo", {"n": 3})
    with pytest.raises(OvertakenError):
        old.result(20)
    assert new.result(20)["n"] == 3 and others.result(20)["n"] == 2
    first.result(20)


def test_who_goes_away_is_not_computed_for(interactive, pool):
    class GoneError(Exception):
        pass

    def leave():
        raise GoneError

    first = busy(interactive, pool)
    with pytest.raises(GoneError):
        interactive.ask("a", "crash", {}, meanwhile=leave)
    assert interactive.ask("a", "echo", {"n": 1})["pid"] == first.result(20)["pid"]


def test_a_crash_costs_one_question_and_a_new_worker_starts_at_once(interactive, pool):
    first = busy(interactive, pool)
    killer = pool.submit(interactive.ask, "a", "crash", {})
    waiting(interactive, 1)
    (other,) = asked(interactive, pool, ("b", 1))
    with pytest.raises(NoAnswerError, match=r"killed by signal 9.*A new one starts"):
        killer.result(20)
    assert other.result(20)["pid"] != first.result(20)["pid"]
    assert len(worker_processes()) == 1


def test_a_worker_killed_from_outside_is_replaced_before_anybody_asks(interactive):
    pid = interactive.ask("a", "echo", {})["pid"]
    psutil.Process(pid).kill()
    deadline = time.monotonic() + 20
    while [each.pid for each in worker_processes()] in ([], [pid]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert interactive.wait_ready(20)
    assert interactive.ask("a", "echo", {"again": True})["pid"] != pid


def killed_while_it_starts():
    """Kill the worker as soon as there is one; its process id."""
    deadline = time.monotonic() + 20
    while not (processes := worker_processes()):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    processes[0].kill()
    return processes[0].pid


def test_a_worker_killed_while_it_starts_is_started_once_more(interactive, pool):
    answer = pool.submit(interactive.ask, "a", "echo", {"n": 1})
    killed = killed_while_it_starts()
    assert answer.result(30)["pid"] != killed


def test_a_worker_killed_while_it_warms_is_replaced_before_anybody_asks(interactive):
    interactive.warm()
    killed_while_it_starts()
    assert interactive.wait_ready(30)


def test_what_takes_too_long_is_ended(interactive, pool):
    pid = interactive.ask("a", "echo", {})["pid"]
    slow = pool.submit(interactive.ask, "a", "sleep", {"seconds": 60}, timeout=0.3)
    with pytest.raises(NoAnswerError, match=r"longer than 0\.3 s and was ended; try smaller images"):
        slow.result(20)
    assert interactive.ask("b", "echo", {"n": 1})["pid"] != pid


def test_what_takes_too_much_memory_is_ended_and_says_so(monkeypatch):
    monkeypatch.setenv("AUGURY_INTERACTIVE_BYTES", str(300 * 2**20))
    interactive = Interactive(WORKER)
    try:
        pid = interactive.ask("a", "echo", {})["pid"]
        with pytest.raises(NoAnswerError, match=r"more than 0\.29 GiB of memory and was ended"):
            interactive.ask("a", "eat", {"megabytes": 500})
        assert interactive.ask("a", "echo", {"n": 1})["pid"] != pid
    finally:
        interactive.close()


def test_a_worker_that_cannot_start_says_why_and_is_not_tried_for_ever():
    interactive = Interactive(BROKEN)
    try:
        with pytest.raises(NoAnswerError, match=r"did not start.*torch is not installed"):
            interactive.ask("a", "echo", {})
        time.sleep(1.5)
        assert worker_processes() == []
    finally:
        interactive.close()
    with pytest.raises(NoAnswerError, match="can't be started"):
        Interactive(("/nowhere/python",)).ask("a", "echo", {})


def test_thirty_who_ask_the_same_cost_one_answer(interactive, pool):
    first = busy(interactive, pool)
    asked_for = [pool.submit(interactive.ask, str(i), "echo", {"n": 1}) for i in range(30)]
    assert len({answer.result(20)["at"] for answer in asked_for}) == 1
    assert interactive.ask("y", "echo", {"n": 1}) == asked_for[0].result()
    assert interactive.ask("y", "echo", {"n": 1}, keep=False) != asked_for[0].result()
    first.result(20)


def test_closing_frees_all_who_wait_and_leaves_no_process(interactive, pool):
    first = busy(interactive, pool, seconds=60)
    (other,) = asked(interactive, pool, ("b", 1))
    interactive.close()
    for future in (first, other):
        with pytest.raises(NoAnswerError):
            future.result(20)
    assert worker_processes() == []
    with pytest.raises(NoAnswerError, match="closing"):
        interactive.ask("a", "echo", {})


def test_no_worker_outlives_its_server():
    script = (
        "import os, sys, time\n"
        "from core.interactive.client import Interactive\n"
        "from tests.interactive.fake_answers import WORKER\n"
        "interactive = Interactive(WORKER)\n"
        "print(interactive.ask('a', 'echo', {})['pid'], flush=True)\n"
        "interactive.ask('a', 'sleep', {'seconds': 60})\n"
    )
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(server.stdout.readline()))
    threading.Event().wait(0.2)  # it computes
    server.kill()
    server.communicate()
    assert worker.wait(20) is None or not worker.is_running()


def test_asking_needs_no_torch():
    check = "import core.interactive.client, sys; sys.exit('torch' in sys.modules or 'kornia' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
