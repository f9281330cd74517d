"""Memory: what a run will need, how long it waits for it, and who may pass meanwhile."""

import time
import uuid

import pytest

from core.jobs import room as rooms
from core.jobs.executors import ThreadExecutor
from core.jobs.manager import Jobs
from core.jobs.needs import WORKER_BYTES, check_fits, needed_bytes
from core.jobs.queue import Queue
from core.jobs.room import Room
from core.run.errors import SpecError
from core.run.spec import RunSpec, parse
from core.store.store import Store
from tests.jobs.fake_engine import load

GIB = 2**30
PATIENCE = 60.0
DATA = {"name": "mnist5k", "train_images": 600}
# The most that `python -m core run` held, GiB, on two cores with torch 2.13 (CPU), one epoch.
MEASURED = [
    ({"data": DATA}, 0.54),
    ({"train": {"batch_size": 1024}}, 0.83),
    ({"model": {"arch": "attention"}, "train": {"batch_size": 512}}, 0.66),
    ({"model": {"arch": "rnn"}, "train": {"batch_size": 1024}}, 0.63),
    ({"data": DATA, "model": {"arch": "mlp", "params": {"hidden": [4096, 4096]}}}, 1.24),
    ({"model": {"arch": "cnn", "params": {"channels": [64, 128]}}, "train": {"batch_size": 2048}}, 2.29),
]


@pytest.mark.parametrize(("spec", "measured"), MEASURED)
def test_what_a_run_needs_is_estimated_from_its_spec(spec, measured):
    assert 0.9 <= needed_bytes(parse(spec)) / (measured * GIB) <= 1.5


LARGE_MLP = parse({"data": {"name": "digits"}, "model": {"arch": "mlp", "params": {"hidden": [4096, 4096]}}})


@pytest.mark.parametrize(
    ("sources", "measured"),  # `core job`: merged as they are, matched, and pruned
    [(2, 1.65), (8, 3.66), (2, 2.01), (1, 1.23)],
)
def test_what_is_made_of_networks_needs_them_beside_it(sources, measured):
    assert 0.9 <= needed_bytes(LARGE_MLP, [LARGE_MLP] * sources) / (measured * GIB) <= 1.5


def test_what_is_made_of_too_many_large_networks_is_refused_before_it_waits(store, monkeypatch):
    from core.jobs import manager
    from core.transform.plan import Asked

    jobs = Jobs(store, ThreadExecutor(load))
    try:
        ids = [jobs.submit(SMALL.model_copy(update={"name": "quick"})) for _ in range(2)]
        for run_id in ids:
            jobs.wait(run_id, 60)
        monkeypatch.setattr(manager, "run_bytes", lambda: needed_bytes(SMALL, [SMALL]))
        with pytest.raises(SpecError, match="fewer networks"):
            jobs.make("merge", Asked.model_validate({"from": ids}), visitor="a/1")
    finally:
        jobs.close()


def test_more_of_anything_needs_more():
    def needs(**changed):
        return needed_bytes(parse({"model": {"arch": "cnn", "params": {}}, **changed}))

    least = needs()
    assert needs(train={"batch_size": 1024}) > least
    assert least + WORKER_BYTES < needs(train={"processes": 2}) < 2 * least + GIB
    assert needs(model={"arch": "cnn", "params": {"channels": [256, 256]}}) > least
    assert needs(data={"name": "folder", "path": "x", "side": 256}) > 10 * least
    assert WORKER_BYTES < needs(train={"batch_size": 4096, "device": "cuda"}) < least
    for entry in ("cnn", "mlp", "rnn", "attention"):
        assert needs(model={"arch": entry}) > WORKER_BYTES


def test_what_never_fits_is_refused_in_a_sentence():
    check_fits(RunSpec(), GIB)
    with pytest.raises(SpecError, match=r"about 0\.6 GiB of memory, and a run may have 0\.5 GiB here"):
        check_fits(RunSpec(), GIB // 2)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    store = Store()
    yield store
    store.close()


LARGE = parse({"train": {"batch_size": 4096}, "name": "until stopped"})
SMALL = RunSpec(name="until stopped")


def waiting(store, spec, visitor):
    run_id = uuid.uuid4().hex
    store.create(run_id, spec, time.time(), visitor=visitor)
    return run_id


def between(store):
    """Free memory for the small run and not for the large one."""
    small, large = (needed_bytes(spec) - WORKER_BYTES for spec in (SMALL, LARGE))
    return (small + large) // 2


def test_a_run_waits_for_memory_with_a_reason_and_others_pass(store):
    free = [between(store)]
    queue = Queue(store, 3, Room(lambda: free[0]))
    large, small, last = (waiting(store, spec, f"{i}/1") for i, spec in enumerate((LARGE, SMALL, SMALL)))
    assert queue.claim() == small
    reason = store.run(large).reason
    assert reason.startswith("It waits for memory: it needs about") and store.run(large).state == "queued"
    free[0] = 0
    assert queue.claim() is None and store.run(last).reason
    free[0] = 99 * GIB
    assert queue.claim() == large and store.run(large).reason == ""


def test_a_large_run_is_not_passed_for_ever(store, monkeypatch):
    queue = Queue(store, 9, Room(lambda: between(store)))
    first, _, small = (waiting(store, spec, f"{i}/1") for i, spec in enumerate((SMALL, LARGE, SMALL)))
    assert queue.claim() == first
    monkeypatch.setattr(rooms, "PASSED_SECONDS", -1.0)
    assert queue.claim() is None  # what runs ends, and then there is room
    monkeypatch.undo()
    assert queue.claim() == small


def test_at_the_server_itself_a_run_waits_only_for_runs(store):
    queue = Queue(store, 2, Room(lambda: 0))
    theirs = waiting(store, SMALL, "school/1")
    ours, more = waiting(store, LARGE, "here/1"), waiting(store, LARGE, "here/1")
    assert queue.claim() == ours  # nothing trains: nothing will make room
    assert queue.claim() is None and store.run(more).reason and store.run(theirs).reason


def test_the_queue_of_a_server_shows_why_a_run_waits(store, monkeypatch):
    monkeypatch.setenv("AUGURY_RUN_BYTES", str(8 * GIB))
    free = [0]
    jobs = Jobs(store, ThreadExecutor(load), room=Room(lambda: free[0]))
    try:
        run_id = jobs.submit(RunSpec(name="tells"), visitor="school/1")
        deadline = time.monotonic() + PATIENCE
        while not jobs.view(run_id).waits_for:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert jobs.view(run_id).state == "queued"
        free[0] = 99 * GIB
        view = jobs.wait(run_id, PATIENCE)
        assert view.state == "finished" and view.waits_for == ""
        monkeypatch.setenv("AUGURY_RUN_BYTES", str(GIB // 2))
        with pytest.raises(SpecError, match="would need about"):
            jobs.submit(SMALL, visitor="school/1")
        assert jobs.wait(jobs.submit(RunSpec(name="tells"), visitor="here/1"), PATIENCE).ended
    finally:
        jobs.close()
