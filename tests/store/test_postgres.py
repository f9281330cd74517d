"""The store and its queue on a real PostgreSQL: the same words as on SQLite, and several servers at once."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from core.jobs.queue import Queue
from core.run.events import state
from core.run.spec import RunSpec
from core.store.store import Store
from core.store.tables import runs
from tests.postgres import postgres


@pytest.fixture(scope="module")
def address():
    with postgres() as url:
        yield url


@pytest.fixture
def store(address):
    """An empty store."""
    store = Store(address)
    with store.engine.begin() as connection:
        for table in ("commands", "events", "artefacts", "runs"):
            connection.exec_driver_sql(f"delete from {table}")
    yield store
    store.close()


def new(store, **described):
    run_id = uuid.uuid4().hex
    store.create(run_id, RunSpec(name="a run"), time.time(), **described)
    return run_id


def another(store):
    """A store of another server on the same database."""
    return Store(store.engine.url.render_as_string(hide_password=False))


def test_servers_that_open_an_empty_database_at_once_find_its_tables_made(address):
    with sa.create_engine(address).begin() as connection:
        connection.exec_driver_sql("drop schema public cascade")
        connection.exec_driver_sql("create schema public")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(Store, [address] * 4))
    assert [each.runs() for each in stores] == [[]] * 4
    for each in stores:
        each.close()


def test_what_is_stored_comes_back(store):
    run_id = new(store, kind="train", digest="a" * 64, visitor="anna")
    store.append(run_id, [(1, state("running")), (2, state("finished", "äöü λ"))])
    assert [event["state"] for _, event in store.events(run_id)] == ["running", "finished"]
    found = store.run(run_id)
    assert (found.name, found.visitor, found.digest) == ("a run", "anna", "a" * 64)


def test_of_many_who_claim_at_once_each_job_is_given_to_one(store):
    ids = {new(store) for _ in range(12)}
    queues = [
        Queue(Store(store.engine.url.render_as_string(hide_password=False)), slots=12) for _ in range(4)
    ]
    together = threading.Barrier(20)

    def claim(i):
        together.wait(30)
        return queues[i % 4].claim()

    with ThreadPoolExecutor(20) as pool:
        claimed = [each for each in pool.map(claim, range(20)) if each]
    assert len(claimed) == len(set(claimed)) and set(claimed) <= ids
    while (more := queues[0].claim()) is not None:
        claimed.append(more)
    assert sorted(claimed) == sorted(ids)


def test_commands_cross_and_an_expired_lease_of_another_machine_is_taken_away(store):
    here, there = Queue(store), Queue(another(store))
    run_id = new(store)
    assert here.claim() == run_id and there.claim() is None
    there.send(run_id, {"command": "pause"})
    assert here.take_commands([run_id]) == [(run_id, {"command": "pause"})]
    assert here.take_commands([run_id]) == []
    assert here.renew([run_id]) == set() and there.interrupt_orphans() == []
    with store.engine.begin() as connection:
        late = {"owner": "1/1.0/elsewhere", "lease_until": time.time() - 0.1}
        connection.execute(sa.update(runs).where(runs.c.id == run_id).values(**late))
    assert there.interrupt_orphans() == [run_id]
    assert store.run(run_id).state == "interrupted" and here.renew([run_id]) == {run_id}
