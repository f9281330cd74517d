"""Which runs each question asks for, and what it makes of their figures."""

from __future__ import annotations

import itertools
import json
import math
import random
import statistics
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.catalogue import imported
from core.run.errors import SpecError
from core.study.examples import example, suits
from core.study.questions.catalogue import QUESTIONS
from core.study.questions.seeds import seeds_to_tell
from core.study.questions.switches import switches_of
from core.study.rules.strength import choose_strengths
from core.study.spec import MOST_CELLS, check_folders, parse_study, with_changes
from tests.study.playing import TINY, figures, played, study

SEARCH = {
    "fields": [{"path": "optimiser.lr", "low": 1e-4, "high": 1e-1, "scale": "log"}],
    "settings": 9,
    "epochs": 9,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_example_of_each_question_is_whole_and_is_read_back_as_it_is(question):
    asked = parse_study(example(question))
    assert parse_study(asked.model_dump_json()) == asked
    cells = asked.cells({})
    assert cells and len({cell.key for cell in cells}) == len(cells)
    assert all(
        len(cell.key) <= 80 and len(cell.spec.name) <= 80 and cell.row and cell.column for cell in cells
    )
    assert 0 < asked.cost().runs <= MOST_CELLS and asked.result({}) == {}
    assert suits(question).name == ""


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_draws_and_says_what_it_knows(question):
    asked = parse_study(example(question))
    draw, say = imported(QUESTIONS[question].chart), imported(QUESTIONS[question].says)
    assert draw({}) is None and say({}) == []
    draws = random.Random(1)
    table = {}
    for cell in asked.cells({}):  # half of it is known
        if draws.random() < 0.5:
            table |= {cell.key: played_one(cell, draws)}
    for known in (table, played(asked, lambda cell: played_one(cell, draws).figures)):
        result = asked.result(known)
        json.dumps(result, allow_nan=False)
        if not result:
            continue
        chart = draw(result)
        assert chart is None or (json.dumps(chart.figure, allow_nan=False) and chart.alt)
        assert all(sentence.endswith((".", "?")) or sentence.endswith("points.") for sentence in say(result))
    assert say(result) and draw(result) is not None


def played_one(cell, draws):
    from core.study.cells import Told

    costs = {"bytes": 500, "bytes_before": 1000, "times": 0.9} if cell.made else {}
    return Told("done", "0" * 32, figures(draws.uniform(0.8, 0.99), cell, draws.uniform(0.1, 0.5), **costs))


def test_an_accuracy_or_a_question_that_is_not_there_is_refused_in_a_sentence():
    for wrong, says in (
        ({"question": "why"}, "no question called 'why'"),
        ({}, "it is needed"),
        ({"question": "strength", "folds": 1}, "folds: 1 is below the smallest allowed"),
        ({"question": "strength", "fold": 1}, "there is no such field"),
        ({"question": "strength", "base": TINY | {"regularisers": []}}, "the spec has none"),
        (
            {"question": "strength", "base": TINY, "strengths": [{"regulariser": 0, "grid": [1e-3]}]},
            "two values",
        ),
        ({"question": "strength", "base": TINY, "strengths": [{"regulariser": 0, "grid": [1, 1]}]}, "twice"),
        (
            {"question": "strength", "base": TINY, "strengths": [{"regulariser": 0, "grid": [0, 101]}]},
            "above the largest",
        ),
        (
            {"question": "ablation", "base": TINY, "switches": [{"name": "a", "off": {"x.y": 1}}]},
            "no such field",
        ),
        ({"question": "ablation", "base": TINY, "switches": [{"name": "a"}]}, "must change something"),
        ({"question": "search", "base": TINY}, "say what is to be varied"),
        (
            {"question": "search", "base": TINY, "fields": [{"path": "data.path", "values": ["/etc"]}]},
            "can't be varied",
        ),
        ({"question": "search", "base": TINY, **SEARCH, "sampler": "grid"}, "needs values"),
        ({"question": "search", "base": TINY, **SEARCH, "sampler": "dice"}, "no sampler"),
        ({"question": "learning-curve", "base": TINY, "images": [10, 90_000]}, "too many"),
        ({"question": "seeds", "base": TINY, "varied": ["augment"]}, "nothing of this run draws by augment"),
        ({"question": "ablation", "base": TINY, "seeds": 51}, "above the largest"),
        (
            {"question": "learning-curve", "base": TINY, "seeds": 50, "images": [*range(100, 1200, 100)]},
            "at most 500",
        ),
    ):
        with pytest.raises(SpecError) as refused:
            parse_study({"version": 1, **wrong})
        assert says in str(refused.value), wrong
    for text in (
        "[]",
        "{",
        '{"question": 3}',
        "[" * 100_000,
        " " * 200_000,
        '{"question": "seeds", "base": 7}',
    ):
        with pytest.raises(SpecError):
            parse_study(text)


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.sampled_from(list(QUESTIONS)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["question", "base", "folds", "switches", "fields", "name", "off", "path"]),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_anything_at_all_is_a_study_or_one_refusal(value):
    text = json.dumps(value)
    try:
        parse_study(text)
    except SpecError as error:
        assert "\n" not in str(error)


def test_a_study_from_outside_reads_no_folder_of_the_server():
    switch = {
        "name": "there",
        "off": {"data.path": "/etc", "data.name": "folder", "data.side": 28, "data.channels": 1},
    }
    asked = study("ablation", switches=[switch], seeds=2)
    with pytest.raises(SpecError, match="uploads only"):
        check_folders(asked)
    check_folders(study("ablation", seeds=2))


# Which λ


def test_every_strength_is_tried_on_the_same_folds_with_the_same_seeds_and_the_test_part_judges_once():
    asked = study("strength", folds=3, strengths=[{"regulariser": 0, "grid": [1e-4, 1e-3]}])
    cells = asked.cells({})
    assert [(cell.settings["lambda"], cell.fold) for cell in cells] == [
        (strength, fold) for fold in range(3) for strength in (1e-4, 1e-3)
    ]
    for cell in cells:
        assert (cell.spec.data.folds, cell.spec.data.fold) == (3, cell.fold)
        assert cell.spec.regularisers[0].strength == cell.settings["lambda"]
        others = cell.spec.model_copy(update={"name": "", "data": asked.base.data})
        assert others.regularisers[1:] == asked.base.regularisers[1:] and others.seed == asked.base.seed
    table = played(asked, lambda cell: figures(0.9 if cell.fold is None else 0.8 + cell.fold / 100, cell))
    (last,) = [cell for cell in asked.cells(table) if cell.role == "test"]
    assert last.spec.data.folds is None and last.spec.regularisers[0].strength == 1e-3  # ties: the larger
    result = asked.result(table)
    assert result["test"]["accuracy"] == 0.9 and result["test"]["looks"] == 1 and result["complete"]
    assert result["standard_error"] == pytest.approx([stats.sem([0.2, 0.19, 0.18])] * 2)
    assert asked.cost() == (7, 21)


@given(st.data())
def test_the_answer_follows_the_rule_whatever_came_out(data):
    folds = data.draw(st.integers(2, 4))
    grid = sorted(data.draw(st.sets(st.sampled_from([0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]), min_size=2)))
    asked = study("strength", folds=folds, strengths=[{"regulariser": 0, "grid": grid}], refit="none")
    right = {cell.key: data.draw(st.integers(0, 20)) / 20 for cell in asked.cells({})}
    table = played(asked, lambda cell: figures(right[cell.key], cell))
    result = asked.result(table)
    errors = {each: [1 - right[f"{each!r}/{fold}"] for fold in range(folds)] for each in grid}
    mean = {each: np.mean(errors[each]) for each in grid}
    best = max(each for each in grid if mean[each] <= min(mean.values()) + 1e-12)
    limit = mean[best] + stats.sem(errors[best])
    assert result["lambda_min"] == best
    assert result["lambda_1se"] in [each for each in grid if abs(mean[each] - limit) < 1e-9 or (
        each == max(other for other in grid if mean[other] <= limit + 1e-12))]  # fmt: skip
    assert result["edge"] == ("smallest" if best == grid[0] else "largest" if best == grid[-1] else "")
    longer = asked.extended(table)
    if result["edge"] == "" or best == 0:
        assert longer is None
    elif longer is not None:
        new = set(longer.strengths[0].grid) - set(grid)
        assert new and all(each > grid[-1] if best == grid[-1] else each < grid[0] for each in new)
        assert all(each <= 100 for each in new)


def test_a_strength_of_which_a_fold_failed_is_never_chosen():
    asked = study("strength", folds=2, strengths=[{"regulariser": 0, "grid": [1e-4, 1e-3]}])
    table = played(asked, lambda cell: None if cell.key == "0.001/1" else figures(0.9, cell))
    result = asked.result(table)
    assert (result["grid"], result["failed"], result["complete"]) == ([1e-4], [1e-3], True)
    assert result["test"]["lambda"] == 1e-4


@given(st.data())
def test_two_strengths_at_once(data):
    xs, ys = [1e-4, 1e-3, 1e-2][: data.draw(st.integers(1, 3))], [1e-5, 1e-4][: data.draw(st.integers(1, 2))]
    points = list(itertools.product(xs, ys))
    errors = [[data.draw(st.integers(0, 8)) / 8 for _ in range(3)] for _ in points]
    found = choose_strengths(points, errors)
    mean = {point: statistics.fmean(each) for point, each in zip(points, errors, strict=True)}
    bound = mean[found.lambda_min] + stats.sem(errors[points.index(found.lambda_min)])
    assert mean[found.lambda_min] == min(mean.values())
    assert all(a >= b for a, b in zip(found.lambda_1se, found.lambda_min, strict=True))
    good = [
        p
        for p in points
        if mean[p] <= bound - 1e-9 and all(a >= b for a, b in zip(p, found.lambda_min, strict=True))
    ]
    up = [xs.index(p[0]) + ys.index(p[1]) for p in good]
    assert not up or max(up) <= xs.index(found.lambda_1se[0]) + ys.index(found.lambda_1se[1])


# Does it help


def test_switches_are_what_a_run_has_and_a_setting_is_the_run_without_it():
    base = TINY | {
        "augment": {"ops": [{"op": "RandomAffine"}, {"op": "RandomErasing"}], "mix": {"op": "RandomMixUpV2"}}
    }
    asked = study(
        "ablation",
        base,
        switches=[s.model_dump() for s in switches_of(study("seeds", base).base)[:1]],
        seeds=2,
    )
    assert [switch.name for switch in switches_of(asked.base)] == [
        "Augmentation", "Affine", "Erasing", "MixUp", "L1 (lasso)", "L2 (ridge)", "Dropout",
    ] or len(switches_of(asked.base)) == 7  # fmt: skip
    off, on = asked.cells({})[:2]
    assert off.spec.augment.ops == () and off.spec.augment.mix is None
    assert len(on.spec.augment.ops) == 2 and on.spec.augment.mix is not None
    assert on.spec.choices().model_copy(update={"name": ""}) == asked.base.choices()
    assert off.spec.seed == on.spec.seed


def test_what_is_taken_out_leaves_the_rest_at_its_place():
    base = study("seeds").base
    found = with_changes(base, {"regularisers.0": None, "regularisers.1.strength": 0.5, "train.epochs": 7})
    assert [each.kind for each in found.regularisers] == ["l2"] and found.regularisers[0].strength == 0.5
    assert found.train.epochs == 7
    with pytest.raises(SpecError, match="no such place"):
        with_changes(base, {"regularisers.2": None})


def test_effects_are_those_of_the_made_up_figures():
    asked = study("ablation", seeds=4)  # L1, L2, dropout

    def judge(cell):
        on = {name: value for name, value in cell.settings.items() if name != "seed"}
        effects = dict(zip(on, (0.02, 0.0, -0.01), strict=True))
        base = 0.9 + 0.001 * cell.settings["seed"]  # a seed's own luck is shared by all settings
        together = 0.004 if all(list(on.values())[:2]) else 0.0
        return figures(base + together + sum(effects[name] for name, is_on in on.items() if is_on), cell)

    result = asked.result(played(asked, judge))
    means = {each["name"]: each["mean"] for each in result["effects"] + result["interactions"]}
    assert list(means.values())[:4] == pytest.approx([0.022, 0.002, -0.01, 0.002], abs=1e-12)
    assert all(each["n"] == 4 for each in result["effects"]) and result["complete"]


def test_one_at_a_time_and_seeds_that_failed_are_left_out():
    asked = study("ablation", seeds=3, design="one-at-a-time")
    assert asked.cost().runs == 12
    table = played(asked, lambda cell: None if cell.key == "100/1" else figures(0.9, cell))
    result = asked.result(table)
    assert [each["n"] for each in result["effects"]] == [2, 2, 2] and result["interactions"] == []


def test_on_noise_alone_nothing_is_told_in_95_of_100_studies_and_two_points_are():
    """Figures as shuffled labels give them: 1,000 images of ten classes, answered by chance."""
    draws = np.random.default_rng(0)
    asked = study("ablation", seeds=5)
    told = {0.0: 0, 0.02: 0}
    for _, effect in itertools.product(range(200), told):
        found = {
            cell.key: draws.binomial(1000, 0.1 + effect * cell.settings["L1 (lasso)"]) / 1000
            for cell in asked.cells({})
        }
        result = asked.result(played(asked, lambda cell, found=found: figures(found[cell.key], cell)))
        every = result["effects"] + result["interactions"]
        told[effect] += (
            any(each["is_told"] for each in every) if not effect else result["effects"][0]["is_told"]
        )
    assert told[0.0] <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05 * 0.95)
    assert told[0.02] >= 0.8 * 200


# Which of many


def test_halving_finds_the_winner_of_the_full_search_at_a_ninth_of_its_epochs():
    """A full search of 27 settings that was trained once, on digits: accuracy and loss after each epoch."""
    saved = json.loads((Path(__file__).parent / "full_search.json").read_text())
    curves = saved["settings"]
    asked = parse_study(saved["study"] | {"method": "halving"})
    table = played(asked, lambda cell: judged(curves, cell))
    result = asked.result(table)
    best = min(curves, key=lambda name: curves[name][-1][1])
    assert result["winner"]["setting"] == best and result["epochs_spent"] == 81
    assert result["epochs_spent"] <= 0.12 * result["epochs_of_full_search"] == 0.12 * 729
    full = parse_study(saved["study"])
    assert full.result(played(full, lambda cell: judged(curves, cell)))["winner"] == result["winner"]
    by_rung = {row["epochs"]: 0 for row in result["rungs"]}
    for row in result["rungs"]:
        by_rung[row["epochs"]] += 1
    assert by_rung == {1: 27, 3: 9, 9: 3, 27: 1} and result["looks"] == 40


def judged(curves, cell):
    if cell.role == "test":
        return figures(0.5, cell)
    accuracy, loss = curves[str(cell.settings["setting"])][cell.epochs - 1]
    return figures(accuracy, cell, loss)


def test_a_promoted_setting_goes_on_in_its_own_run_and_the_last_rung_is_the_whole_run():
    asked = study("search", **SEARCH)
    quality = {f"0.{i}": i / 10 for i in range(9)}
    table = played(asked, lambda cell: figures(quality.get(str(cell.settings.get("setting")), 0.3), cell))
    assert [key for key in table if "@9" in key] == ["0.8@9"]
    assert table["0.8@1"].run_id == table["0.8@3"].run_id == table["0.8@9"].run_id
    whole = {cell.key: cell for cell in asked.cells(table)}
    assert whole["0.8@1"].until == 1 and whole["0.8@9"].until is None
    assert whole["0.8@1"].spec == whole["0.8@9"].spec and whole["0.8@1"].spec.train.epochs == 9
    test = whole["test 0.8"]
    assert test.spec.data.folds is None and whole["0.8@9"].spec.data.folds == 5
    assert asked.cost() == (10, 30) and asked.result(table)["epochs_spent"] == 9 + 3 * 2 + 1 * 6


def test_settings_that_failed_are_not_promoted():
    asked = study("search", **SEARCH)
    table = played(
        asked, lambda cell: None if str(cell.settings.get("setting")) >= "0.2" else figures(0.5, cell)
    )
    assert [key for key in table if "@3" in key] == ["0.0@3", "0.1@3"]
    assert asked.result(table)["complete"]
    nothing = asked.result(played(asked, lambda cell: None))
    assert nothing["complete"] and "winner" not in nothing


def test_hyperband_and_grid():
    asked = study("search", fields=SEARCH["fields"], method="hyperband", epochs=9)
    assert [plan[0] for plan in asked.plans] == [(9, 1), (5, 3), (3, 9)]
    assert asked.cost().runs == 18 and len(asked.cells({})) == 17
    grid = study(
        "search",
        sampler="grid",
        method="full",
        fields=[
            {"path": "optimiser.lr", "values": [1e-3, 1e-2]},
            {"path": "train.batch_size", "values": [32, 64, 128]},
        ],
    )
    drawn = {(cell.settings["optimiser.lr"], cell.settings["train.batch_size"]) for cell in grid.cells({})}
    assert drawn == set(itertools.product([1e-3, 1e-2], [32, 64, 128])) and grid.settings == 6
    few = study("search", fields=[{"path": "train.batch_size", "values": [32, 64, 128]}], settings=27)
    assert few.settings == 3 and len({cell.spec.train.batch_size for cell in few.cells({})}) == 3
    with pytest.raises(SpecError, match="1 combinations"):
        study("search", fields=[{"path": "train.batch_size", "values": [32]}])


@given(st.floats(0, 1, exclude_max=True), st.floats(1e-5, 1), st.floats(1.001, 1e4))
def test_a_range_is_kept_on_both_scales(share, low, ratio):
    from core.study.questions.search import Dimension

    for scale in ("log", "linear"):
        value = Dimension(path="optimiser.lr", low=low, high=low * ratio, scale=scale).at(share)
        assert low * 0.995 <= value <= low * ratio * 1.005


# Which optimiser, how many images, how many seeds


def test_each_optimiser_races_at_its_own_best_rate():
    asked = study("race", optimisers=[{"kind": "sgd"}, {"kind": "adam"}], factors=[0.5, 1, 2], seeds=3)
    best = {"sgd": max(asked.rates(0)), "adam": sorted(asked.rates(1))[1]}

    def judge(cell):
        kind, rate = cell.spec.optimiser.kind, cell.spec.optimiser.lr
        if cell.role == "cell":
            return figures(0.5, cell, abs(math.log(rate / best[kind])))
        return figures({"sgd": 0.93, "adam": 0.9}[kind] + cell.spec.seed / 1000, cell)

    result = asked.result(played(asked, judge))
    sgd, adam = result["optimisers"]
    assert (sgd["rate"], adam["rate"]) == (best["sgd"], best["adam"])
    assert sgd["edge"] and not adam["edge"] and sgd["n"] == adam["n"] == 3
    assert sgd["mean"] == pytest.approx(0.931) and asked.cost().runs == 12


def test_a_learning_curve_counts_images_and_steps():
    base = TINY | {"train": {"epochs": 4, "batch_size": 100, "device": "cpu"}}
    asked = study("learning-curve", base, images=[100, 400], budget="steps", seeds=2)
    epochs = {cell.settings["images"]: cell.spec.train.epochs for cell in asked.cells({})}
    assert epochs == {100: 16, 400: 4}
    switch = {"name": "L1", "off": {"regularisers.0": None}}
    both = study("learning-curve", base, images=[100, 400], switch=switch, seeds=2)
    assert [len(cell.spec.regularisers) for cell in both.cells({})[:4]] == [2, 1, 2, 1]
    result = both.result(played(both, lambda cell: figures(cell.settings["images"] / 1000, cell)))
    assert [point["mean"] for point in result["curves"][0]["points"]] == [0.1, 0.4]
    whole = study("learning-curve", TINY, seeds=2)
    assert whole.cells({})[-1].spec.data.train_images is None  # all: the split knows how many they are


def test_the_spread_of_seeds_and_how_many_tell_two_settings_apart():
    asked = study("seeds", seeds=4, varied=["weights", "split"])
    cells = asked.cells({})
    assert len(cells) == asked.cost().runs == 7 and cells[0].key == "base"
    assert (
        len({cell.spec.seeds.weights for cell in cells}) == 4
        and len({cell.spec.split_seed for cell in cells}) == 4
    )
    values = dict(zip([cell.key for cell in cells], [0.9, 0.91, 0.92, 0.93, 0.8, 0.7, 0.6], strict=True))
    spreads = asked.result(played(asked, lambda cell: figures(values[cell.key], cell)))["spreads"]
    assert spreads["weights"]["sd"] == pytest.approx(np.std([0.9, 0.91, 0.92, 0.93], ddof=1))
    assert spreads["split"]["mean"] == pytest.approx(0.75)


@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
def test_as_many_seeds_as_advised_tell_a_difference_four_times_of_five(size):
    draws = np.random.default_rng(1)

    def told(n):
        studies = [(draws.normal(size, 1, n), draws.normal(0, 1, n)) for _ in range(2000)]
        return sum(stats.ttest_ind(*each).pvalue < 0.05 for each in studies) / 2000

    n = seeds_to_tell(size, 1.0)
    assert told(n) > 0.77 and told(n - 1) < 0.83


def test_optunas_settings_come_one_by_one_and_are_drawn_again_alike():
    asked = study("search", sampler="optuna", method="full", settings=12, refit=False, fields=[
        {"path": "optimiser.lr", "low": 1e-4, "high": 1e-1, "scale": "log"},
        {"path": "train.batch_size", "values": [16, 32, 64]},
    ])  # fmt: skip
    assert len(asked.cells({})) == 1

    def judge(cell):  # best at a rate of 0.01
        return figures(1 - min(1.0, abs(math.log10(cell.spec.optimiser.lr) + 2) / 4), cell)

    table = played(asked, judge)
    assert len(table) == 12 and played(asked, judge) == table
    assert [cell.key for cell in asked.cells(table)] == list(table)
    assert asked.result(table)["complete"]
    rates = [cell.spec.optimiser.lr for cell in asked.cells(table)]
    assert len(set(rates)) > 6
    failed = played(asked, lambda cell: None if cell.key == "0.0@3" else judge(cell))
    assert failed["0.0@3"].state == "failed" and len(failed) == 12


def test_how_sure_a_strength_is_is_said_by_paired_differences():
    """Against scipy's paired t-test, fold by fold."""
    asked = study("strength", folds=5, strengths=[{"regulariser": 0, "grid": [1e-5, 1e-4, 1e-3]}])
    folds = np.array([[0.900, 0.905, 0.898, 0.902, 0.901], [0.903, 0.904, 0.901, 0.906, 0.902],
                      [0.882, 0.888, 0.879, 0.885, 0.881]])  # fmt: skip
    grid = [1e-5, 1e-4, 1e-3]
    table = played(
        asked, lambda cell: figures(float(folds[grid.index(cell.settings["lambda"])][cell.fold or 0]), cell)
        if cell.role == "cell" else None,
    )  # fmt: skip
    result = asked.result(table)
    assert result["lambda_min"] == 1e-4
    told = [stats.ttest_rel(folds[i], folds[1]).pvalue < 0.05 for i in (0, 2)]
    assert result["alike"] == [each for each, is_told in zip((1e-5, 1e-3), told, strict=True) if not is_told]
    assert result["alike"] == [1e-5]
    said = " ".join(imported(QUESTIONS["strength"].says)(result))
    assert "How sure? λ = 1e-05 can't be told from it" in said and "the others are worse" in said
