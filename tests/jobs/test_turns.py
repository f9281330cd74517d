"""Visitors take turns, however many runs one of them asks for."""

import time
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.__main__ import main
from core.jobs import turns
from core.jobs.queue import Queue
from core.jobs.turns import Waiting, check_room, in_turn
from core.run.errors import SpecError
from core.run.spec import RunSpec
from core.store.store import Store


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return Store()


def jobs(*visitors):
    """One job each, in this order; called after its visitor and its number."""
    counts = {}
    made = []
    for at, visitor in enumerate(visitors):
        counts[visitor] = counts.get(visitor, 0) + 1
        made.append(Waiting(f"{visitor}{counts[visitor]}", float(at), visitor))
    return made


def test_who_asks_for_one_run_waits_for_one_of_each_other():
    assert in_turn(jobs(*"aaaaabca"), {}) == ["a1", "b1", "c1", "a2", "a3", "a4", "a5", "a6"]


def test_visits_of_one_place_share_its_turns():
    waiting = jobs("x/1", "x/2", "x/1", "x/3", "y/1", "y/1")
    assert in_turn(waiting, {}) == ["x/11", "y/11", "x/21", "y/12", "x/31", "x/12"]


def test_who_was_served_lately_comes_after_who_was_not():
    assert in_turn(jobs(*"ab"), {"a": 5.0, "b": 3.0}) == ["b1", "a1"]
    assert in_turn(jobs("a/1", "b/1"), {"a/9": 5.0, "c/1": 3.0}) == ["b/11", "a/11"]


def test_those_that_come_last_come_last():
    waiting = [Waiting("path", 0.0, "a", "g", last=True), *jobs("a", "a", "b")]
    assert in_turn(waiting, {}) == ["a1", "b1", "a2", "path"]


@given(st.lists(st.sampled_from(["a/1", "a/2", "b/1", "c/1", ""]), max_size=30))
def test_all_start_once_and_each_visitors_in_their_order(visitors):
    waiting = jobs(*visitors)
    order = in_turn(waiting, {})
    assert sorted(order) == sorted(job.id for job in waiting)
    for visitor in set(visitors):
        mine = [job.id for job in waiting if job.visitor == visitor]
        assert [each for each in order if each in mine] == mine


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=40))
def test_nobodys_kth_run_waits_for_more_than_k_of_another(visitors):
    """Counted by brute force in the order."""
    order = in_turn(jobs(*visitors), {})
    for place, run in enumerate(order):
        k = sum(each[0] == run[0] for each in order[: place + 1])
        for other in "abcd":
            assert other == run[0] or sum(each[0] == other for each in order[:place]) <= k


@pytest.mark.parametrize(
    ("waiting", "visitor", "refused"),
    [
        (jobs(*["a/1"] * 9), "a/1", None),
        (jobs(*["a/1"] * 10), "a/1", "10 of your runs are waiting already"),
        (jobs(*["a/1"] * 10), "a/2", None),
        (jobs(*[f"a/{i % 5}" for i in range(30)]), "a/1", "30 runs from your address"),
        (jobs(*[f"a/{i % 5}" for i in range(30)]), "a/9", None),
        (jobs(*[f"a/{i}" for i in range(60)]), "a/99", "60 runs from your address"),
        (jobs(*[f"a/{i}" for i in range(60)]), "b/1", None),
        (jobs(*[f"{i}/1" for i in range(100)]), "z/1", "100 runs are waiting already"),
        (jobs(*[""] * 99), "", None),
    ],
)
def test_each_visitor_has_a_share(waiting, visitor, refused):
    if refused is None:
        check_room(waiting, visitor)
    else:
        with pytest.raises(SpecError, match=refused):
            check_room(waiting, visitor)


def test_a_studys_jobs_are_one():
    study = [Waiting(str(i), 0.0, "a/1", "path") for i in range(5)]
    check_room([*study, *jobs(*["a/1"] * 9)], "a/1", "path")
    with pytest.raises(SpecError, match="10 of your runs"):
        check_room([*study, *jobs(*["a/1"] * 9)], "a/1", "another path")


def test_the_queue_serves_in_turn_and_says_so(store):
    queue = Queue(store, slots=100)
    asked = ["a/1", "a/1", "a/1", "b/1", "c/1", "c/1"]
    now = time.time()
    ids = [f"{i:032x}" for i in range(len(asked))]
    for i, visitor in enumerate(asked):
        store.create(ids[i], RunSpec(), now + i, visitor=visitor)
    order = [ids[i] for i in (0, 3, 4, 1, 5, 2)]
    queue._slots[False] = 1
    unfinished = store.unfinished()
    assert [queue.positions(unfinished)[each] for each in order] == [0, 1, 2, 3, 4, 5]
    assert [queue.position(store.run(each)) for each in order] == [0, 1, 2, 3, 4, 5]
    queue._slots[False] = 100
    assert [queue.claim() for _ in order] == order and queue.claim() is None


def test_a_script_with_many_visits_leaves_room_for_others(store):
    queue = Queue(store)
    taken = 0
    for i in range(120):
        visitor = f"attacker/{i % 10}"
        try:
            queue.check_room(visitor)
        except SpecError:
            continue
        store.create(f"{i:032x}", RunSpec(), float(i), visitor=visitor)
        taken += 1
    assert taken == turns.MAX_OF_PLACE
    queue.check_room("pupil/1")
    store.create("f" * 32, RunSpec(), 1000.0, visitor="pupil/1")
    assert queue.position(store.run("f" * 32)) == 1


def test_all_that_wait_can_be_ended_from_the_command_line(store, capsys):
    for i in range(3):
        store.create(f"{i:032x}", RunSpec(), float(i))
    running = Queue(store).claim()
    assert main(["stop-waiting"]) == 0
    assert "2 runs that waited will not start" in capsys.readouterr().out
    states = {run.id: (run.state, run.reason) for run in store.runs()}
    assert states.pop(running)[0] == "running"
    said = "Stopped before it began, with all that waited, from the command line."
    assert set(states.values()) == {("stopped", said)}


def test_those_that_a_teacher_has_ranked_come_first_in_his_order():
    a, b, c, d = jobs("a", "b", "c", "a")
    ranked = [a, b, replace(c, rank=1), replace(d, rank=0)]
    assert in_turn(ranked, {}) == ["a2", "c1", "b1", "a1"]  # a was served: b's turn comes before


def waiting(store, visitor):
    run_id = uuid.uuid4().hex
    store.create(run_id, RunSpec(), time.time(), visitor=visitor)
    return run_id


def test_a_job_that_is_moved_keeps_what_is_before_it_before_it(store):
    queue = Queue(store)
    ids = [waiting(store, f"{visitor}/1") for visitor in "abcde"]

    def order():
        return sorted(ids, key=queue.positions(store.unfinished()).__getitem__)

    assert order() == ids
    a, b, c, d, e = ids
    assert queue.move(d, 0) and order() == [d, a, b, c, e]
    assert queue.move(b, 1) and order() == [d, b, a, c, e]
    assert queue.move(d, 3) and order() == [b, a, c, d, e]
    assert queue.move(b, 99) and order() == [a, c, d, e, b]
    assert queue.move(a, -5) and order() == [a, c, d, e, b]
    assert not queue.move("0" * 32, 0)
    late = waiting(store, "f/1")
    ids.append(late)
    assert order() == [a, c, d, e, b, late]
    assert queue.move(late, 0) and order() == [late, a, c, d, e, b]
    assert queue.move(late, 5) and order() == [a, c, d, e, b, late]
    assert queue.claim() == a and Queue(store).claim() is None
