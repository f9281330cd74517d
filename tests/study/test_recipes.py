"""Studies whose cells are made of others': recipes, and what a teacher adds."""

from __future__ import annotations

import csv
import itertools
import json
import signal
import time

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy import stats

from core.run.errors import SpecError
from core.store.store import run_folder
from core.study.questions.distillation import ALONE, SMOOTHED, TAUGHT, TEACHER
from core.study.questions.recipe import RecipeStudy
from core.study.spec import parse_study
from core.text.studies.distillation import sentences as taught_in_words
from core.text.studies.recipe import sentences as recipe_in_words
from tests.study.playing import figures, played, study
from tests.study.test_studies import command, home, server  # noqa: F401

SMALL = {
    "data": {"name": "digits", "train_images": 200},
    "model": {"arch": "mlp", "params": {"hidden": [24, 12]}},
    "optimiser": {"kind": "adam", "lr": 0.01},
    "train": {"epochs": 4, "device": "cpu"},
}
STEPS = [
    {"how": "prune", "params": {"what": "units", "share": 0.5, "threshold": "layer"}, "train": {"epochs": 2}},
    {"how": "shrink"},
    {"how": "quantise", "params": {"bits": 4}, "train": {"epochs": 1}},
]


@pytest.fixture
def answered(server):  # noqa: F811
    studies, jobs = server()

    def answer(asked):
        view = studies.wait(studies.start(asked), 240)
        assert view.state == "finished"
        return view, jobs

    return answer


def test_a_recipes_figures_are_those_of_its_files(answered):
    view, jobs = answered(study("recipe", SMALL, steps=STEPS, seeds=2))
    assert not view.failed and [len(row["accuracies"]) for row in view.result["rows"]] == [2] * 4
    for chain in range(2):
        runs = [jobs.view(view.table[f"{chain}/{step}"].run_id) for step in range(4)]
        for before, after in itertools.pairwise(runs):
            assert after.inputs["from"] == [before.id]
        assert len({run.spec.seed for run in runs}) == 1
        weights = [load_file(run_folder(run.id) / "weights.safetensors") for run in runs]
        sizes = [sum(value.size for value in each.values()) for each in weights]
        assert sizes[1] < sizes[0] / 1.5 and sizes[2] == sizes[1]
        told = [view.table[f"{chain}/{step}"].figures for step in range(4)]
        assert [each.parameters for each in told[:3]] == sizes[:3]
        assert told[1].bytes_before == (run_folder(runs[0].id) / "weights.safetensors").stat().st_size
        assert told[3].bytes < told[2].bytes == told[3].bytes_before
        dense = [8 * 8 * 24 + 24 * 12 + 12 * 10, 8 * 8 * 12 + 12 * 6 + 6 * 10]
        assert [told[1].multiply_adds_before, told[1].multiply_adds] == dense
        assert [each.accuracy for each in told] == [run.history.result["validation_accuracy"] for run in runs]
        matrices = [value for value in weights[3].values() if value.ndim == 2]
        assert max(len(np.unique(row)) for each in matrices for row in each) <= 16
    rows = view.result["rows"]
    for number in (1, 2, 3):
        apart = np.subtract(rows[number]["accuracies"], rows[number - 1]["accuracies"])
        assert rows[number]["change"] == pytest.approx(apart.mean())
        low, high = (
            stats.t.interval(0.95, 1, apart.mean(), stats.sem(apart)) if apart.std() else [apart.mean()] * 2
        )
        assert (rows[number]["change_low"], rows[number]["change_high"]) == pytest.approx((low, high))
    said = " ".join(recipe_in_words(view.result))
    assert "shrunk" in said and "All together" in said and "times smaller" in said


def test_what_is_there_is_used_again(answered):
    asked = study("recipe", SMALL, steps=STEPS)
    first, _ = answered(asked)
    again, _ = answered(asked.model_copy(update={"name": "again"}))
    assert all(told.reused for told in again.table.values())
    assert {key: told.run_id for key, told in again.table.items()} == {
        key: told.run_id for key, told in first.table.items()
    }


def test_a_step_that_can_not_be_made_ends_those_after_it_and_no_others(answered):
    steps = [STEPS[0], {"how": "prune", "params": {"start": "rewound"}}, STEPS[1]]
    view, _ = answered(study("recipe", SMALL, steps=steps))
    states = {key: told.state for key, told in view.table.items()}
    assert states == {"0/0": "done", "0/1": "done", "0/2": "failed", "0/3": "failed"}
    assert "nothing to rewind to" in view.table["0/2"].reason and "has failed" in view.table["0/3"].reason
    assert len(view.result["rows"]) == 2 and view.result["complete"]


def test_a_recipe_is_paused_goes_on_and_comes_to_the_same(server):  # noqa: F811
    studies, _ = server()
    asked = study("recipe", SMALL | {"train": {"epochs": 30, "device": "cpu"}}, steps=STEPS, seeds=2)
    study_id = studies.start(asked)
    deadline = time.monotonic() + 60
    while studies.view(study_id).done < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    studies.pause(study_id)
    assert studies.view(study_id).state == "paused"
    time.sleep(0.5)
    studies.resume(study_id)
    whole = studies.wait(study_id, 240)
    assert whole.state == "finished" and not whole.failed and whole.done == 8


def cells(out):
    left_out = ("run", "seconds", "times")
    with (out / "cells.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in left_out} for row in csv.DictReader(file)]


def test_the_command_is_killed_and_goes_on(tmp_path, home):  # noqa: F811
    asked = tmp_path / "study.json"
    asked.write_text(study("recipe", SMALL, steps=STEPS, seeds=3).model_dump_json())
    killed = command(tmp_path / "out", home, str(asked))
    for _ in range(4):
        assert json.loads(killed.stdout.readline())["event"] == "cell"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    for out, at in (("out", home), ("straight", tmp_path / "other")):
        ended = command(tmp_path / out, at, str(asked))
        _, errors = ended.communicate(timeout=180)
        assert ended.returncode == 0, errors
    assert cells(tmp_path / "out") == cells(tmp_path / "straight")
    assert all(row["state"] == "done" for row in cells(tmp_path / "out"))


@pytest.mark.parametrize(
    ("steps", "where", "said"),
    [
        ([{"how": "merge"}], "steps[0].how", "takes several networks"),
        ([STEPS[1], {"how": "melt"}], "steps[1].how", "no transform"),
        ([{"how": "quantise", "params": {"bits": 99}}], "steps[0].params.bits", "99"),
        (
            [{"how": "prune", "params": {"when": "step by step"}}],
            "steps[0].train.epochs",
            "needs further training",
        ),
        ([{"how": "distil"}], "steps[0].train.epochs", "a student has to be trained"),
        ([], "steps", "at least 1"),
        ([STEPS[1]] * 7, "steps", "at most 6"),
    ],
)
def test_a_recipe_that_can_not_be_is_refused_at_its_step(steps, where, said):
    with pytest.raises(SpecError, match=said) as refused:
        study("recipe", SMALL, steps=steps)
    assert refused.value.where == where


def test_a_half_known_recipe_says_what_it_knows():
    asked = study("recipe", SMALL, steps=STEPS, seeds=3)
    assert isinstance(asked, RecipeStudy)
    assert asked.cost() == (12, 3 * 7)
    known = ("0/0", "0/1", "1/0", "2/0", "2/2")
    table = played(asked, lambda cell: figures(0.9, cell) if cell.key in known else None)
    rows = asked.result(table)["rows"]
    assert [row["n"] for row in rows] == [3, 1]
    assert rows[1]["change"] == 0 and "change_low" not in rows[1] and rows[1]["bytes"] is None
    assert recipe_in_words(asked.result(table))


def test_a_teacher_that_counts_nothing_changes_no_bit(answered):
    """The students of one seed begin alike and see the same batches, so only what they aim at differs."""
    view, jobs = answered(study("distillation", SMALL, student={"arch": "mlp", "params": {"hidden": [8]}},
                                alpha=0.0, seeds=2, epochs=3))  # fmt: skip
    for seed in range(2):
        runs = [jobs.view(view.table[f"{who}/{seed}"].run_id) for who in (ALONE, TAUGHT, SMOOTHED)]
        files = [(run_folder(run.id) / "weights.safetensors").read_bytes() for run in runs]
        assert files[0] == files[1] != files[2]
        assert runs[1].inputs["from"] == [view.table[f"{TEACHER}/{seed}"].run_id]
        assert [run.spec.model.params["hidden"] for run in runs] == [[8]] * 3 or [(8,)] * 3
    teacher = next(each for each in view.result["effects"] if each["name"] == "the teacher")
    assert teacher["mean"] == 0 and teacher["low"] is None and not teacher["is_told"]
    said = " ".join(taught_in_words(view.result))
    assert "it adds nothing with each of n = 2 seeds" in said


def test_what_a_teacher_adds_is_students_interval_over_pairs():
    asked = study("distillation", SMALL, seeds=4)
    draws = np.random.default_rng(3)
    accuracy = {who: draws.normal(0.9, 0.01, 4) for who in (TEACHER, ALONE, SMOOTHED)}
    accuracy[TAUGHT] = accuracy[ALONE] + 0.02 + draws.normal(0, 0.002, 4)
    error = {who: draws.uniform(0.01, 0.1, 4) for who in accuracy}

    def judge(cell):
        who, number = cell.key.split("/")
        return figures(
            float(accuracy[who][int(number)]), cell, calibration_error=float(error[who][int(number)])
        )

    result = asked.result(played(asked, judge))
    for name, values, who in (("effects", accuracy, TAUGHT), ("calibration", error, SMOOTHED)):
        effect = result[name][0 if who == TAUGHT else 1]
        apart = values[who] - values[ALONE]
        low, high = stats.t.interval(1 - 0.05 / 2, 3, apart.mean(), stats.sem(apart))
        assert (effect["mean"], effect["low"], effect["high"]) == pytest.approx((apart.mean(), low, high))
    assert result["effects"][0]["is_told"]
    said = " ".join(taught_in_words(result))
    assert f"**the teacher** helps by {100 * (accuracy[TAUGHT] - accuracy[ALONE]).mean():.1f} ±" in said
    assert "calibration error" in said


def test_a_student_that_can_not_be_is_refused_at_its_field():
    with pytest.raises(SpecError) as refused:
        study("distillation", SMALL, student={"arch": "mlp", "params": {"hidden": [0]}})
    assert refused.value.where.startswith("student")
    assert parse_study(study("distillation", SMALL).model_dump_json()).epochs == 4
