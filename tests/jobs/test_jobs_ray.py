"""A real Ray cluster of two nodes on this machine: what is computed there is what is computed here."""

import io
import signal
import time
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from core.catalogues import completed
from core.data.uploads import keep_upload
from core.jobs.shared import make_jobs
from core.run.checkpoints import newest
from core.run.spec import parse
from core.store.store import run_folder
from core.study.spec import parse_study
from core.study.studies import Studies
from tests.ray_cluster import CONNECTS, cluster
from tests.train.same_runs import result
from tests.train.small_runs import SMALL

pytestmark = pytest.mark.alone

RUNS, EPOCHS, PATIENCE = 12, 40, 120.0


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """The cluster's nodes; this process, and what it starts, can connect to them."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUGURY_CHECKPOINT_SECONDS", "0.1")
        with cluster(folder) as (address, started):
            for name, value in {"RAY_ADDRESS": address, **CONNECTS}.items():
                patch.setenv(name, value)
            yield started


@contextmanager
def jobs_at(home, monkeypatch, executor):
    """The jobs of a server with this home."""
    monkeypatch.setenv("AUGURY_HOME", str(home))
    monkeypatch.setenv("AUGURY_EXECUTOR", executor)
    monkeypatch.setenv("AUGURY_SLOTS", "2")
    monkeypatch.setenv("AUGURY_CHECKPOINT_SECONDS", "0.1")
    jobs = make_jobs()
    try:
        yield jobs
    finally:
        jobs.close()


@pytest.fixture(scope="module")
def jobs(nodes, tmp_path_factory):
    """A server whose runs the cluster computes."""
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUGURY_ARTEFACTS", str(folder / "shared"))
        with jobs_at(folder / "home", patch, "ray") as jobs:
            yield jobs


def spec(seed=1, epochs=EPOCHS, **change):
    train = {**SMALL["train"], "epochs": epochs}
    return completed(parse({**SMALL, "seed": seed, "train": train, **change}))


def until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)
    return found


@contextmanager
def study_of_twelve(jobs):
    """A study of twelve runs, each with another seed: how it is, whenever it is asked."""
    studies = Studies(jobs, jobs.store, slots=4)
    study_id = studies.start(parse_study({"question": "seeds", "seeds": RUNS, "base": spec().model_dump()}))
    try:
        yield lambda: studies.view(study_id)
    finally:
        studies.close()


def results(jobs, study):
    """What each run has come to, to the bit: its epochs and its weights; and what the study says of them."""
    whole = until(lambda: (view := study()).state == "finished" and view)
    views = {key: jobs.view(told.run_id) for key, told in sorted(whole.table.items())}
    assert [(view.state, view.reason) for view in views.values()] == [("finished", "")] * RUNS
    bits = {key: result(view.history.epochs, run_folder(view.id)) for key, view in views.items()}
    return bits, whole.result


def could_go_on(jobs, node):
    """The runs that this node has begun to compute, and of which the server has a checkpoint already."""
    begun = (folder.name.split("-")[0] for folder in (node.home / "tasks").glob("*"))
    views = [jobs.view(run_id) for run_id in begun if newest(run_folder(run_id)) is not None]
    return [view.id for view in views if len(view.history.epochs) < EPOCHS / 2]


def test_what_is_asked_of_a_run_arrives_and_is_answered(jobs):
    run_id = jobs.submit(spec(epochs=1000))
    jobs.wait_for_step(run_id, PATIENCE)
    jobs.command(run_id, {"command": "pause"})
    until(lambda: jobs.view(run_id).state == "paused")
    jobs.command(run_id, {"command": "edit", "set": {"optimiser.lr": 0.002}})
    jobs.command(run_id, {"command": "checkpoint", "name": "here"})
    jobs.command(run_id, {"command": "resume"})
    until(lambda: jobs.view(run_id).history.edits and jobs.view(run_id).state == "running")
    jobs.stop(run_id)
    view = jobs.wait(run_id, PATIENCE)
    assert view.state == "stopped"
    assert view.history.edits[0]["set"] == {"optimiser.lr": 0.002}
    left = {path.name for path in run_folder(run_id).rglob("*.*")}
    assert {"checkpoint.safetensors", "weights.safetensors", "edits.json", "spec.json"} <= left


def test_a_run_whose_process_was_killed_is_interrupted_and_goes_on(jobs, nodes):
    run_id = jobs.submit(spec(epochs=400))
    until(lambda: newest(run_folder(run_id)))
    (worker,) = nodes[0].processes("ray::run") + nodes[1].processes("ray::run")
    worker.send_signal(signal.SIGKILL)
    view = jobs.wait(run_id, PATIENCE)
    assert (view.state, view.reason[:23]) == ("interrupted", "Its process was killed ")
    jobs.resume(run_id)
    until(lambda: jobs.view(run_id).history.resumed)
    assert jobs.view(run_id).history.resumed[0] > 0
    jobs.stop(run_id)
    assert jobs.wait(run_id, PATIENCE).state == "stopped"


def test_a_persons_images_travel_by_their_digest(jobs, nodes):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        for number in range(40):
            image = io.BytesIO()
            pixels = np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(image, "PNG")
            zipped.writestr(f"{'ab'[number % 2]}/{number}.png", image.getvalue())
    kept = keep_upload(stream.getvalue())
    data = {"name": "folder", "path": kept.path, "side": 8, "channels": 1, "fit": "crop"}
    run_id = jobs.submit(spec(epochs=1, data=data))
    assert jobs.wait(run_id, PATIENCE).state == "finished"
    name = kept.path.removeprefix("upload:")
    assert any((node.home / "uploads" / f"{name}.zip").is_file() for node in nodes)


def test_of_two_nodes_one_is_lost_and_twelve_runs_come_to_the_bits_of_this_machine(
    jobs, nodes, tmp_path, monkeypatch
):
    with study_of_twelve(jobs) as study:
        until(lambda: study().done >= 2)
        processes = nodes[1].processes()
        (lost,) = until(lambda: could_go_on(jobs, nodes[1]))
        nodes[1].kill(processes)
        there = results(jobs, study)
        resumed = {told.run_id: jobs.view(told.run_id).history.resumed for told in study().table.values()}
    (step,) = resumed.pop(lost)
    assert step > 0 and set(resumed.values()) == {()}
    with jobs_at(tmp_path / "alone", monkeypatch, "worker") as alone:
        monkeypatch.delenv("AUGURY_ARTEFACTS")
        with study_of_twelve(alone) as study:
            assert results(alone, study) == there
