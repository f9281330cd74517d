"""The store: what is written comes back, and what can't be believed does not."""

import logging
import sqlite3
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.run.errors import SpecError
from core.run.history import build_history
from core.run.history import summary as make_summary
from core.run.spec import RunSpec
from core.store import owner
from core.store.store import Store, is_run_id, run_folder
from tests.jobs.fake_engine import STARTED, epoch, finished, state, step

SPEC = RunSpec(name="a run", seed=3)
EVENTS = [state("running"), STARTED, step(1), epoch(1), finished(epoch(1)), state("finished", "well")]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "augury.db"


@pytest.fixture
def store(path):
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


def test_a_list_of_runs_knows_of_how_many_images_older_summaries_are(store):
    ids = [new_run(store, at) for at in (1.0, 2.0, 3.0)]
    summary = {"epochs": 1, "result": epoch(1), "last": epoch(1)}
    for run_id in ids:
        store.set_state(run_id, "finished", summary=summary)
    store.append(ids[0], list(enumerate(EVENTS, start=1)))
    store.set_state(ids[2], "finished", summary={**summary, "validation_images": 7})
    found = {run.id: run.summary.get("validation_images") for run in store.runs()}
    assert found == {ids[0]: STARTED["validation_images"], ids[1]: None, ids[2]: 7}
    told = make_summary(build_history(enumerate(EVENTS, start=1)).history())
    assert told["validation_images"] == STARTED["validation_images"]


def new_run(store, created_at=1.0):
    run_id = uuid.uuid4().hex
    store.create(run_id, SPEC, created_at)
    return run_id


def edit(path, statement, *values):
    """Change the file behind the store's back."""
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_a_run_survives_a_restart(store, path):
    run_id = new_run(store)
    store.append(run_id, list(enumerate(EVENTS, start=1)))
    summary = {"epochs": 1, "result": epoch(1), "last": epoch(1)}
    store.set_state(run_id, "finished", "well", started_at=2.0, finished_at=3.5, summary=summary)
    store.close()
    again = Store(f"sqlite:///{path}")
    run = again.run(run_id)
    assert (run.id, run.name, run.spec) == (run_id, "a run", SPEC)
    assert (run.state, run.reason, run.ended) == ("finished", "well", True)
    assert (run.created_at, run.started_at, run.finished_at) == (1.0, 2.0, 3.5)
    assert run.summary["result"]["validation_accuracy"] == 0.5
    assert again.events(run_id) == list(enumerate(EVENTS, start=1))
    assert again.last_number(run_id) == 6
    again.close()


def test_a_new_run_is_queued_and_has_no_events(store):
    run_id = new_run(store)
    run = store.run(run_id)
    assert (run.state, run.reason, run.started_at, run.finished_at, run.summary) == (
        "queued",
        "",
        *[None] * 3,
    )
    assert (store.events(run_id), store.last_number(run_id)) == ([], 0)


def test_the_newest_runs_come_first(store):
    ids = [new_run(store, created_at=float(i)) for i in range(5)]
    assert [run.id for run in store.runs(3)] == ids[:1:-1]
    assert store.runs(0) == store.runs(-1) == []


def test_it_lies_in_augurys_home_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    Store().close()
    assert (tmp_path / "home" / "augury.db").exists()
    run_id = uuid.uuid4().hex
    assert run_folder(run_id) == tmp_path / "home" / "runs" / run_id


@pytest.mark.parametrize(
    "text", ["", "..", "../" + "a" * 29, "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", None, 7]
)
def test_only_32_hex_digits_are_an_id(store, text):
    assert not is_run_id(text)
    assert store.run(text) is None
    with pytest.raises(ValueError, match="32 hex digits"):
        run_folder(text)
    with pytest.raises(ValueError, match="32 hex digits"):
        store.create(text, SPEC, 1.0)


@pytest.mark.parametrize(
    "url", ["nonsense", "nosuchdatabase://x", "oracle+no_such_driver://me:secret@host/x"]
)
def test_an_address_of_no_use_is_refused_without_its_password(url):
    with pytest.raises(SpecError, match="the database can't be used") as refusal:
        Store(url)
    assert refusal.value.where == "AUGURY_DATABASE_URL"
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_write_ahead_log_is_on(store, path):
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("spec", "{"),
        ("spec", '{"seed": -1}'),
        ("spec", "[" * 60_000),
        ("spec", '{"name": "' + "x" * 70_000 + '"}'),
        ("spec", b"\xff\x00"),
        ("state", "exploded"),
        ("reason", "x" * 5000),
        ("created_at", "yesterday"),
        ("finished_at", float("inf")),
        ("summary", "{}"),
        ("summary", '{"epochs": 1, "result": {"epoch": 1}, "last": null}'),
        ("id", "../../etc/passwd"),
        ("inputs", "[]"),
        ("inputs", '{"a": "' + "x" * 70_000 + '"}'),
        ("tags", '["' + "x" * 50 + '"]'),
        ("note", "x" * 5000),
        ("digest", "x"),
        ("name", "x" * 90),
    ],
)
def test_a_run_that_can_not_be_believed_is_left_out(store, path, column, value):
    good, bad = new_run(store), new_run(store)
    edit(path, f"UPDATE runs SET {column} = ? WHERE id = ?", value, bad)
    assert store.run(bad) is None
    assert [run.id for run in store.runs()] == [good]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "7",
        "null",
        b"\xff",
        '{"event": "state", "state": "exploded"}',
        '{"event": "nothing we know"}',
        '{"event": "step", "step": 1}',
        '{"event": "step", "step": 1, "epoch": NaN, "loss": 1, "penalty": 0, "learning_rate": 0.1}',
        '{"event": "epoch", "epoch": 1}',
        '{"event": "state", "state": "running", "x": "' + "x" * 300_000 + '"}',
        "[" * 100_000,
    ],
)
def test_an_event_that_can_not_be_believed_is_left_out(store, path, caplog, text):
    run_id = new_run(store)
    store.append(run_id, list(enumerate(EVENTS, start=1)))
    edit(path, "UPDATE events SET event = ? WHERE run_id = ? AND seq = 3", text, run_id)
    with caplog.at_level(logging.WARNING):
        assert [number for number, _ in store.events(run_id)] == [1, 2, 4, 5, 6]
    assert len(text) > 200_000 or "1 events of run" in caplog.text


def test_who_is_alive():
    pid, created, machine = owner.this_process().split("/")
    assert owner.is_alive(owner.this_process(), one_machine=True)
    assert not owner.is_alive(f"{pid}/{float(created) - 60}/{machine}", one_machine=True)  # pid used again
    assert not owner.is_alive(f"{pid}/{created}/elsewhere", one_machine=True)
    assert owner.is_alive(f"{pid}/{created}/elsewhere", one_machine=False)
    for nonsense in ("", "x", f"x/y/{machine}", f"{10**30}/1/{machine}", f"-1/1/{machine}"):
        assert not owner.is_alive(nonsense, one_machine=True)


def test_what_a_person_writes_about_a_run_comes_back(store):
    run_id = new_run(store)
    store.rename(run_id, "  Another name ")
    store.annotate(run_id, note="line\nline", tags=["b", "a ", "b", " "])
    store.star(run_id)
    run = store.run(run_id)
    assert (run.name, run.spec) == ("Another name", SPEC.model_copy(update={"name": "Another name"}))
    assert (run.note, run.tags, run.starred) == ("line\nline", ("b", "a"), True)
    store.annotate(run_id, tags=[])
    store.star(run_id, False)
    run = store.run(run_id)
    assert (run.note, run.tags, run.starred) == ("line\nline", (), False)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda store, run_id: store.rename(run_id, "x" * 81), "name: 'x+….* is too long; at most 80"),
        (lambda store, run_id: store.annotate(run_id, note="x" * 4001), "note: it has 4,001 characters"),
        (lambda store, run_id: store.annotate(run_id, tags=["x" * 41]), "tags: 'x+'… is too long"),
        (lambda store, run_id: store.annotate(run_id, tags=map(str, range(21))), "tags: there are 21"),
    ],
)
def test_too_long_a_note_is_refused_and_changes_nothing(store, change, refusal):
    run_id = new_run(store)
    with pytest.raises(SpecError, match=refusal):
        change(store, run_id)
    assert (store.run(run_id).name, store.run(run_id).note, store.run(run_id).tags) == ("a run", "", ())


def test_only_an_ended_run_can_be_deleted_and_comes_back(store):
    run_id = new_run(store)
    with pytest.raises(SpecError, match="has not ended; stop it first"):
        store.delete(run_id)
    store.set_state(run_id, "stopped")
    store.delete(run_id)
    assert store.runs() == []
    assert store.run(run_id).deleted_at is not None
    assert store.restore(run_id)
    assert [run.id for run in store.runs()] == [run_id]
    assert not store.restore("0" * 32)


def test_the_newest_finished_run_of_a_digest_is_found(store):
    ids = [uuid.uuid4().hex for _ in range(4)]
    for i, run_id in enumerate(ids):
        store.create(run_id, SPEC, float(i), digest="d" * 64)
    assert store.find_finished("d" * 64) is None
    for run_id, ended in zip(ids, ("finished", "finished", "stopped", "queued"), strict=True):
        store.set_state(run_id, ended)
    assert store.find_finished("d" * 64).id == ids[1]
    store.delete(ids[1])
    assert store.find_finished("d" * 64).id == ids[0]
    assert store.find_finished("e" * 64) is None


def test_the_uploads_of_what_runs_and_waits_are_in_use(store):
    paths = ["upload:" + digit * 64 for digit in "abc"] + ["/somewhere", None]
    for path, state_ in zip(paths, ("queued", "running", "finished", "queued", "queued"), strict=True):
        run_id = uuid.uuid4().hex
        store.create(run_id, RunSpec(data={"name": "folder", "path": path}), 1.0)
        store.set_state(run_id, state_)
    assert store.uploads_in_use() == {paths[0], paths[1]}


def test_a_group_is_listed_alone(store):
    run_id = uuid.uuid4().hex
    new_run(store)
    store.create(run_id, SPEC, 2.0, group="a study", visitor="v", inputs={"a": [1, None]}, parents=["b" * 64])
    (run,) = store.runs(group="a study")
    assert (run.id, run.group, run.visitor, run.inputs) == (run_id, "a study", "v", {"a": [1, None]})
    assert run.parents == ["b" * 64]
    assert len(store.runs()) == 2


def test_events_after_a_number(store):
    run_id = new_run(store)
    store.append(run_id, list(enumerate(EVENTS, start=1)))
    assert store.events(run_id, after=4) == list(enumerate(EVENTS, start=1))[4:]


def test_readers_and_writers_at_once(store, path):
    """Two writers and two readers, on two connections' worth of stores: nobody fails, and a reader
    always sees the events from the first without a gap."""
    other = Store(f"sqlite:///{path}")
    ids = [new_run(store), new_run(other)]
    problems, writing = [], threading.Event()
    writing.set()

    def write(store, run_id):
        for first in range(1, 200, 5):
            store.append(run_id, [(number, step(number)) for number in range(first, first + 5)])
            store.set_state(run_id, "running")

    def read(store):
        while writing.is_set():
            for run_id in ids:
                numbers = [number for number, _ in store.events(run_id)]
                if numbers != list(range(1, len(numbers) + 1)) or len(numbers) % 5:
                    problems.append(numbers)
            store.runs()

    def guarded(work, *arguments):
        try:
            work(*arguments)
        except Exception as error:
            problems.append(error)

    writers = [
        threading.Thread(target=guarded, args=(write, *pair))
        for pair in zip((store, other), ids, strict=True)
    ]
    readers = [threading.Thread(target=guarded, args=(read, each)) for each in (store, other)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in readers:
        thread.join()
    assert problems == []
    assert [store.last_number(run_id) for run_id in ids] == [200, 200]
    other.close()


def test_a_new_database_may_be_opened_by_several_at_once(path):
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Store(f"sqlite:///{path}"), range(8)))
    run_id = new_run(stores[0])
    assert [store.run(run_id).id for store in stores] == [run_id] * 8
    for store in stores:
        store.close()


def changed(event, path, value):
    """A copy of ``event`` with another value at the dotted ``path``."""
    first, _, rest = path.partition(".")
    return {**event, first: changed(event[first], rest, value) if rest else value}


HISTOGRAM = {"zeros": 3, "edges": [0.5, 1.0, 2.0], "counts": [2, 3]}
MEASURED = {
    "hoyer": 0.5,
    "gini": 0.25,
    "effective_rank": 1.5,
    "groups": {"neurons": {"zero": 1, "all": 2}},
    "bytes": {"dense": 32, "sparse": 40, "gzip": 30},
}
FULL = {
    **epoch(1),
    "sparsity": {
        **epoch(1)["sparsity"],
        **MEASURED,
        "layers": {"fc": {**epoch(1)["sparsity"]["layers"]["fc"], **MEASURED}},
    },
    "weights": {"fc": HISTOGRAM, "other": HISTOGRAM},
    "prunable": {"share": 0.75, "low": 0.7, "high": 0.8, "accuracy": 0.4},
    "filters": {"layer": "fc", "of": 4, "shape": [1, 1, 2, 2], "values": "AAECAw=="},
    "penalties": {"l1": 0.5, "l2": None},
    "strengths": {"l1": 1e-4, "l2": 1e-3},
    "stop": "It got no better.",
    "of a later version": [1],
}


JOB_EVENTS = [
    {"event": "progress", "done": 1, "of": 4, "seconds_left": 2.5, "what": "λ = 0.001"},
    {"event": "progress", "done": 0.5, "of": 1.0, "seconds_left": None},
    {"event": "row", "strength": 0.1, "by_layer": {"fc": [0.5, None]}, "name": "any"},
    {"event": "artefact", "name": "w", "digest": "a" * 64, "media_type": "text/csv", "bytes": 3},
    {"event": "edit", "step": 12, "set": {"optimiser.lr": 0.1}, "was": {"optimiser.lr": 0.01}},
    {"event": "checkpoint", "step": 12, "name": "best"},
]


def test_what_any_kind_of_job_may_tell_comes_back(store):
    run_id = new_run(store)
    store.append(run_id, list(enumerate(JOB_EVENTS, start=1)))
    assert store.events(run_id) == list(enumerate(JOB_EVENTS, start=1))


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        (0, "of", 0),
        (0, "done", -1),
        (0, "seconds_left", "soon"),
        (0, "what", "x" * 3000),
        (3, "digest", "../" * 21 + "x"),
        (3, "digest", "a" * 64 + "\n"),
        (3, "bytes", -1),
        (3, "name", "x" * 200),
        (4, "step", -1),
        (4, "set", [1]),
    ],
)
def test_what_a_job_can_not_have_told_is_left_out(store, event, field, value):
    run_id = new_run(store)
    store.append(run_id, [(1, {**JOB_EVENTS[event], field: value}), (2, JOB_EVENTS[event])])
    assert [number for number, _ in store.events(run_id)] == [2]


def test_all_that_an_epoch_may_measure_comes_back(store):
    run_id = new_run(store)
    without = {**FULL, "weights": None, "filters": None, "prunable": None}
    kept = [(1, epoch(1)), (2, FULL), (3, without), (4, {**step(1), "penalties": {"l1": 0.1}})]
    store.append(run_id, kept)
    assert store.events(run_id) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sparsity.exact", 1.5),
        ("sparsity.hoyer", -0.1),
        ("sparsity.gini", None),
        ("sparsity.effective_rank", -1),
        ("sparsity.groups", {"planets": {"zero": 1, "all": 9}}),
        ("sparsity.groups.neurons", {"zero": 1}),
        ("sparsity.bytes", {"dense": 1}),
        ("sparsity.bytes.gzip", -1),
        ("sparsity.layers.fc.hoyer", "high"),
        ("weights.fc.counts", [1]),
        ("weights.fc.counts", [1, -1]),
        ("weights.fc.edges", [1.0, 0.5, 2.0]),
        ("weights.fc.edges", [0.0, 1.0, 2.0]),
        ("weights.fc.edges", [0.5, 1.0, 4.0]),
        ("weights.fc", {"zeros": 0, "edges": [0.5, 1.0, 2.0], "counts": [0, 0]}),
        (
            "weights",
            {"fc": {"zeros": 0, "edges": [float(i + 1) for i in range(65)], "counts": [1] * 64}},
        ),
        ("prunable", {"share": 0.5}),
        ("prunable.share", 2),
        ("prunable.low", "low"),
        ("filters.values", "AAEC"),
        ("filters.values", "no base64!"),
        ("filters.values", "☃"),
        ("filters.shape", [4]),
        ("filters.shape", [-1, -1, 2, 2]),
        ("penalties", {str(i): 0.0 for i in range(65)}),
        ("penalties.l1", "much"),
        ("stop", "x" * 3000),
    ],
)
def test_a_measure_that_can_not_be_believed_leaves_its_event_out(store, field, value):
    run_id = new_run(store)
    store.append(run_id, [(1, changed(FULL, field, value)), (2, FULL)])
    assert [number for number, _ in store.events(run_id)] == [2]


def test_a_row_that_is_no_text_harms_no_other(store):
    a, b = new_run(store), new_run(store)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"update runs set note = cast(x'ff41' as text) where id = '{a}'")
        connection.exec_driver_sql(f"insert into events values ('{b}', 1, cast(x'ff41' as text))")
    assert {run.id for run in store.runs()} == {a, b}
    assert store.events(b) == []
