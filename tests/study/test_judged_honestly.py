"""What a study says of its own figures: what chose them, by which images, and how far chance moves them."""

from __future__ import annotations

import csv
import io
import random
import statistics

import pytest

from core.catalogue import imported
from core.catalogues import completed
from core.measure.mean import mean_interval
from core.run.history import build_history
from core.run.spec import parse
from core.study.cells import Cell, Told
from core.study.driver import figures_at
from core.study.files import cells_csv
from core.study.questions.catalogue import QUESTIONS
from core.train.loop import run
from tests.study.playing import TINY, figures, played, study

STOPPING = {"kind": "early_stopping", "params": {"patience": 2}}
STOPS = TINY | {"regularisers": [{"kind": "l1", "strength": 1e-4}, STOPPING], "train": {"epochs": 20}}
GRID = {"folds": 3, "strengths": [{"regulariser": 0, "grid": [1e-4, 1e-3, 1e-2]}]}


def said(asked, table) -> str:
    return " ".join(imported(QUESTIONS[asked.question].says)(asked.result(table)))


def stopped_at(epoch):
    """A run that was trained two epochs longer than the one that stands for it."""
    return lambda cell: figures(0.9, cell, epochs=epoch + 2, epoch=epoch)


def test_the_last_run_ends_where_the_folds_did_and_stops_by_nothing():
    asked = study("strength", STOPS, **GRID)
    epochs = {0: 5, 1: 9, 2: 7}
    table = played(asked, lambda cell: stopped_at(epochs.get(cell.fold, 7))(cell))
    (last,) = (cell for cell in asked.cells(table) if cell.role == "test")
    assert [each.kind for each in last.spec.regularisers] == ["l1"] and last.spec.train.epochs == 7
    words = said(asked, table)
    assert "Trained again for 7 epochs, as many as early stopping chose before, on all training" in words
    assert "that of the last run is not" in words
    plain = study("strength", **GRID)
    table = played(plain, lambda cell: figures(0.9, cell))
    (last,) = (cell for cell in plain.cells(table) if cell.role == "test")
    assert last.spec.train == plain.base.train and "stopping" not in said(plain, table)


def test_a_search_winner_is_trained_again_for_the_epochs_that_were_chosen():
    fields = [{"path": "optimiser.lr", "low": 1e-4, "high": 1e-1, "scale": "log"}]
    asked = study("search", STOPS, fields=fields, settings=3, epochs=9, eta=3)
    table = played(asked, lambda cell: figures(0.9, cell, epochs=min(cell.epochs, 6), epoch=4))
    (last,) = (cell for cell in asked.cells(table) if cell.role == "test")
    assert all(each.kind != "early_stopping" for each in last.spec.regularisers)
    assert last.spec.train.epochs == 4 and "this is the figure to quote" in said(asked, table)
    # Two more than stand for it were trained, and cost time.
    assert asked.result(table)["epochs_spent"] == 3 * 1 + (6 - 1)


@pytest.mark.parametrize("question", ["ablation", "seeds", "learning-curve", "race"])
def test_every_question_says_that_the_epochs_were_chosen(question):
    asked = study(question, STOPS, **({"factors": [1.0]} if question == "race" else {}))
    table = played(asked, lambda cell: figures(random.Random(cell.key).uniform(0.8, 0.9), cell))
    assert "Early stopping chose each run's epoch by the images that judge it" in said(asked, table)


def test_figures_are_of_the_chosen_epoch_and_epochs_those_that_were_trained():
    spec = completed(parse(STOPS | {"train": {"epochs": 40, "device": "cpu"}, "optimiser": {"lr": 0.03}}))
    events = list(enumerate(run(spec), 1))
    history = build_history(events).history()
    found = figures_at(events, Cell("one", spec))
    assert found.epoch == history.result["epoch"] < found.epochs == history.epochs[-1]["epoch"] < 40
    assert found.seconds == pytest.approx(sum(each["seconds"] for each in history.epochs))
    assert found.train_accuracy == history.result["clean_accuracy"]  # of the very network that is judged


def test_no_two_columns_have_one_name():
    asked = study("learning-curve", images=[50, 100])
    table = played(asked, lambda cell: figures(0.9, cell))
    (head, *rows) = csv.reader(io.StringIO(cells_csv(asked.cells(table), table)))
    assert len(set(head)) == len(head)
    assert {row[head.index("images")] for row in rows} == {"50", "100"}
    assert {row[head.index("validation_images")] for row in rows} == {"1000"}


def test_what_the_last_images_bring_is_told_in_pairs():
    """The seeds differ by far more than the images do, and all gain about as much."""
    asked = study("learning-curve", images=[50, 100], seeds=5)

    def judge(cell):
        own = random.Random(cell.spec.seed)
        gain = own.gauss(0.0103, 0.0001) if cell.settings["images"] == 100 else 0.0
        return figures(0.7 + 0.04 * (cell.spec.seed % 5) + gain, cell)

    table = played(asked, judge)
    gain = asked.result(table)["curves"][0]["gain"]
    apart = [table[f"0/100/{i}"].figures.accuracy - table[f"0/50/{i}"].figures.accuracy for i in range(5)]
    assert (gain["mean"], gain["low"], gain["high"]) == pytest.approx(mean_interval(apart))
    assert gain["is_told"] and "it still gains 1.0 points" in said(asked, table)
    worse = played(asked, lambda cell: judge(cell).model_copy(
        update={"accuracy": 0.9 - 0.01 * (cell.settings["images"] == 100) - cell.spec.seed % 3 * 1e-4
                - 1e-3 * random.Random(cell.key).random()}))  # fmt: skip
    assert "it loses 1.0 points" in said(asked, worse)
    noise = played(asked, lambda cell: figures(0.9 - 0.02 * random.Random(cell.key).random(), cell))
    words = said(asked, noise)
    assert "no more than chance may" in words and "-" not in words.replace("test-", "")


def test_two_curves_are_compared_in_pairs():
    switch = {"name": "L1", "off": {"regularisers.0": None}}
    asked = study("learning-curve", images=[50, 100], seeds=4, switch=switch)

    def judge(cell):
        gain = 0.02 if cell.settings["variant"] == "with L1" and cell.settings["images"] == 50 else 0.0
        return figures(
            0.7 + 0.05 * (cell.spec.seed % 4) + gain + 2e-3 * random.Random(cell.key).random(), cell
        )

    words = said(asked, played(asked, judge))
    assert "With 50 images L1 adds 2." in words and "With 100 images L1 changes it by" in words


def test_the_last_run_is_trained_on_all_that_the_folds_had_and_that_is_said():
    few = study("strength", TINY | {"data": {"name": "digits", "train_images": 300}}, **GRID)
    table = played(few, lambda cell: figures(0.9, cell))
    assert "on all 300 images of the folds with" in said(few, table)
    (last,) = (cell for cell in few.cells(table) if cell.role == "test")
    assert last.spec.data.train_images == 300 and last.spec.name.endswith("all folds")


@pytest.mark.parametrize("gain", [0.0, 0.01])
def test_equal_differences_tell_nothing(gain):
    asked = study("ablation", seeds=2, switches=[{"name": "L1", "off": {"regularisers.0": None}}])

    def judge(cell):
        return figures(0.75 + 0.125 * (cell.spec.seed % 2) + gain * cell.settings["L1"], cell)

    table = played(asked, judge)
    (effect,) = asked.result(table)["effects"]
    assert not effect["is_told"] and effect["low"] is None and effect["needed"] is None
    words = said(asked, table)
    assert "try more seeds" in words and "thousand" not in words
    assert ("+1.0 points" if gain else "it adds nothing") in words
    chart = imported(QUESTIONS["ablation"].chart)(asked.result(table))
    assert "the same with every seed" in chart.alt


def test_two_seeds_of_noise_tell_something_as_seldom_as_they_say():
    """Accuracies of few images are often equal: n = 2, of 50 images, none of it means anything."""
    draws, told = random.Random(3), 0
    asked = study("ablation", seeds=2, switches=[{"name": "L1", "off": {"regularisers.0": None}}])
    for _ in range(400):
        table = played(asked, lambda cell: figures(round(50 * draws.gauss(0.9, 0.02)) / 50, cell))
        told += asked.result(table)["effects"][0]["is_told"]
    assert told <= 0.05 * 400 + 2 * (400 * 0.05 * 0.95) ** 0.5


def ends(zeros, kinds=("l1",)):
    asked = study("strength", TINY | {"regularisers": [{"kind": each} for each in kinds]}, **{
        **GRID, "strengths": [{"regulariser": i, "grid": [0.01, 0.1, 0.5]} for i in range(len(kinds))],
    })  # fmt: skip
    lost = {0.01: 0.0, 0.1: 0.1, 0.5: 0.3}

    def judge(cell):
        accuracy = 0.9 - max(lost[value] for value in cell.settings.values())
        return figures(accuracy, cell, train_accuracy=accuracy, zeros=zeros)

    return said(asked, played(asked, judge))


def test_why_the_largest_underfits_is_said_of_what_was_emptied_only():
    assert "for 97.0 % of its weights are zero" in ends(0.97)
    assert "underfits" in ends(0.0, ["sam"]) and "zero." not in ends(0.0, ["sam"]).split("underfits")[1]


def test_both_edges_are_told_and_of_which_strength():
    words = ends(0.9, ["l1", "l2"])
    assert "smallest λ of L1" in words and "smallest λ of L2" in words


def test_a_race_of_one_seed_each_is_no_mean():
    asked = study("race", factors=[1.0], optimisers=[{"kind": "sgd"}, {"kind": "adamw"}], seeds=2)
    table = {}
    for _ in range(4):  # the rates, and one seed of each
        for cell in asked.cells(table):
            if cell.key not in table and len(table) < 4:
                accuracy = statistics.fmean([0.8, len(table) / 100 + 0.8])
                table[cell.key] = Told("done", "0" * 32, figures(accuracy, cell))
    words = said(asked, table)
    assert words.startswith("So far ") and "mean" not in words and "Differences" not in words
