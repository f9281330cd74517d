"""What a Ray task is told, where it is placed, and what a machine refuses; none of it needs a cluster."""

import queue

import pytest

from core.catalogues import completed
from core.jobs.executors import Job, ray_task
from core.jobs.executors.ray import RayExecutor
from core.jobs.executors.ray_cluster import placement
from core.jobs.executors.ray_task import Told, _compute, release
from core.jobs.kinds import KINDS
from core.run.commands import Control
from core.run.spec import RunSpec, parse
from core.store.folders import SharedFolders
from core.store.store import run_folder
from tests.ray_cluster import CONNECTS
from tests.train.small_runs import SMALL

RUN, CPUS, GPU = "a" * 32, {"CPU": 4.0}, {"CPU": 2.0, "GPU": 1.0}


def on(device):
    return RunSpec.model_validate({"train": {"device": device}})


@pytest.mark.parametrize(
    ("device", "machines", "cuda"),
    [("cpu", [CPUS, GPU], 0), ("cuda", [CPUS, GPU], 1), ("auto", [CPUS, GPU], 1), ("auto", [CPUS], 0)],
)
def test_a_job_is_placed_where_its_device_is(device, machines, cuda):
    assert placement(on(device), 2, machines) == {"num_cpus": 2, "num_gpus": cuda}


def test_a_job_that_no_machine_can_take_says_so():
    with pytest.raises(ConnectionError, match=r"has 8 processors for this run; the largest has 4\."):
        placement(on("cpu"), 8, [CPUS, GPU])
    with pytest.raises(ConnectionError, match=r"has 4 processors and a CUDA device for this run"):
        placement(on("cuda"), 4, [CPUS, GPU])
    with pytest.raises(ConnectionError, match=r"has 1 processor for this run; the largest has 0\."):
        placement(on("cpu"), 1, [])


def said(tmp_path, monkeypatch, **change):
    """What a task tells the server, in this process."""
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "node"))
    for name in ("AUGURY_THREADS", "OMP_NUM_THREADS", "AUGURY_ARTEFACTS", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "1")  # set by the task, and put back after the test
    monkeypatch.setattr(ray_task, "end_above", lambda most_bytes, end: None)  # it is this process
    train = SMALL["train"] | {"epochs": 1}
    told = {
        "run": RUN,
        "attempt": "b" * 32,
        "kind": "train",
        "spec": completed(parse({**SMALL, "train": train})).to_json(),
        "inputs": {},
        "artefacts": str(tmp_path / "shared"),
        "threads": 1,
        "cuda": False,
        "release": release(),
    }
    outbox = queue.SimpleQueue()
    _compute(Told(**(told | change)), Control(), outbox)
    return list(iter(outbox.get, None))


def test_a_task_leaves_what_it_has_made_in_the_store_before_it_says_that_it_ended(tmp_path, monkeypatch):
    server = SharedFolders(tmp_path / "shared", "server")
    server.keep(RUN, tmp_path / "nothing")
    told = said(tmp_path, monkeypatch)
    assert told[-1]["event"]["state"] == "finished" and "kept" in told[-2]
    server.fetch(RUN, tmp_path / "here")
    assert (tmp_path / "here" / "weights.safetensors").is_file()
    assert list((tmp_path / "node" / "tasks").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"release": "Augury 0.0"},
            f"This machine of the cluster has {release()}, and the server Augury 0.0",
        ),
        ({"run": "c" * 32}, "AUGURY_ARTEFACTS: this machine of the cluster does not see what the server has"),
        ({"kind": "no such"}, "kind: there is no kind of job called 'no such'"),
    ],
)
def test_a_machine_that_can_not_compute_a_job_says_why(tmp_path, monkeypatch, change, reason):
    SharedFolders(tmp_path / "shared", "server").keep(RUN, tmp_path / "nothing")
    told = said(tmp_path, monkeypatch, **change)
    (event,) = (message["event"] for message in told if "event" in message)
    assert event["state"] == "failed" and event["reason"].startswith(reason)


def test_what_reads_the_database_or_other_runs_stays_on_this_machine():
    assert {name for name, kind in KINDS.items() if kind.travels} == {
        "train",
        "transform",
        "probe.cost",
        "study.path_point",
    }


def test_without_a_cluster_a_run_waits_for_one_and_says_how_to_start_it(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    monkeypatch.setenv("AUGURY_EXECUTOR", "ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for name, value in CONNECTS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))  # another cluster of this machine is not ours
    executor, events = RayExecutor(), []
    try:
        executor.execute(Job(RUN, parse(SMALL), out=run_folder(RUN)), Control(), events.append)
    finally:
        executor.close()
    assert [event["state"] for event in events] == ["interrupted"]
    assert events[0]["reason"].startswith("No Ray cluster is found: start one with `ray start --head`")
