"""Folding events into what pages draw."""

import pytest

from core.run.history import HistoryBuilder, Progress, summary
from core.run.history import build_history as fold
from tests.jobs.fake_engine import BATCH, STARTED, epoch, finished, state, step


def folded(*events, times=None):
    fold = HistoryBuilder()
    for i, event in enumerate(events):
        fold.add(event, None if times is None else times[i])
    return fold


def test_every_event_finds_its_place():
    last = finished(epoch(1), epoch(2))
    history = folded(
        state("running"), STARTED, BATCH, step(1), step(2, 0.5), epoch(1), epoch(2), last,
        state("finished", "well"),
    ).history()  # fmt: skip
    assert history.started == STARTED
    assert history.batch == BATCH
    assert history.step == step(2, 0.5)
    assert history.epochs == (epoch(1), epoch(2))
    assert history.finished == last
    assert (history.state, history.reason, history.ended) == ("finished", "well", True)
    assert history.loss == ((0.5, 1.0), (1.0, 0.5))
    assert history.penalty == ((0.5, 1.0), (0.5, 0.5))
    assert history.learning_rate == ((0.5, 1.0), (0.1, 0.1))
    assert history.version == 8  # nine events, but a batch is no figure


def test_a_job_that_trains_nothing_tells_its_progress_its_rows_and_what_it_left():
    rows = [{"event": "row", "a": 1}, {"event": "row", "a": 2}]
    first, second, other = (
        {"event": "artefact", "name": name, "digest": digit * 64, "media_type": "text/csv", "bytes": 1}
        for name, digit in (("a table", "1"), ("a table", "2"), ("a list", "3"))
    )
    told = {"event": "progress", "done": 3, "of": 4, "seconds_left": 10.0, "what": "λ"}
    edit = {"event": "edit", "step": 3, "set": {"optimiser.lr": 0.1}}
    builder = folded(state("running"), told, rows[0], first, edit, rows[1], second, other, times=range(8))
    history = builder.history()
    assert (history.rows, history.artefacts, history.edits) == (tuple(rows), (second, other), (edit,))
    assert history.progress_event == told
    assert history.progress(5.0) == Progress(0.75, 0, 0, 6.0, None)
    assert history.version == 8
    builder.add(state("finished"))
    assert (builder.history().progress(9.0).share, builder.history().progress(9.0).seconds_left) == (
        1.0,
        None,
    )


def test_the_same_object_until_an_event():
    fold = folded(STARTED)
    before = fold.history()
    assert fold.history() is before
    fold.add(step(1))
    after = fold.history()
    assert (before.version, before.step, after.version, after.step) == (1, None, 2, step(1))


def test_a_loss_that_is_no_number_is_not_drawn():
    missing = {**step(2), "loss": None}
    infinite = {**step(3), "loss": float("inf")}
    history = folded(STARTED, step(1), missing, infinite, step(4)).history()
    assert history.loss.x == (0.5, 2.0)
    assert history.penalty.x == (0.5, 1.0, 1.5, 2.0)


def test_versions_read_back_are_the_numbers_in_the_store():
    live = folded(state("running"), STARTED, BATCH, step(1), epoch(1))
    stored = [(1, state("running")), (2, STARTED), (4, epoch(1))]
    assert fold(stored).history().version == live.version == 4


@pytest.mark.parametrize(
    ("events", "share", "number"),
    [
        ([STARTED], 0, 1),
        ([STARTED, step(1)], 0.5 / 3, 1),
        ([STARTED, step(1), step(2), epoch(1)], 1 / 3, 2),
        ([STARTED, epoch(1), step(3)], 1.5 / 3, 2),
        ([STARTED, epoch(1), step(3), state("stopped")], 1.5 / 3, 2),
        ([STARTED, epoch(1), epoch(2), epoch(3)], 1, 3),
        ([STARTED, epoch(3), state("finished")], 1, 3),
        ([STARTED, step(1), epoch(2), state("finished", "It stopped early.")], 1, 2),
    ],
)
def test_progress(events, share, number):
    progress = folded(*events).history().progress(0.0)
    assert progress.share == pytest.approx(share)
    assert (progress.epoch, progress.epochs) == (number, 3)


def test_before_it_starts_nothing_is_known_of_the_progress():
    progress = folded(state("running")).history().progress(5.0)
    assert (progress.share, progress.epochs, progress.seconds_left) == (0, 0, None)


def test_time_left_comes_from_the_first_steps_and_counts_down():
    history = folded(STARTED, step(1), times=[100.0, 102.0]).history()  # half an epoch in 2 s
    assert history.progress(102.0).seconds_left == pytest.approx(2.5 * 4)
    assert history.progress(103.0).seconds_left == pytest.approx(2.5 * 4 - 1)
    assert history.progress(999.0).seconds_left == 0
    assert history.progress(102.0).images_per_second == pytest.approx(100 / 4)


def test_time_left_comes_from_the_latest_epochs():
    slow = [epoch(i, seconds=100.0) for i in range(1, 3)]
    fast = [epoch(i, seconds=2.0) for i in range(3, 8)]
    started = {**STARTED, "epochs": 10}
    history = folded(started, *slow, *fast, times=[0.0] * 8).history()
    assert history.progress(1.0).seconds_left == pytest.approx(3 * 2.0 - 1)
    assert history.progress(1.0).images_per_second == 100.0


def test_a_run_that_has_ended_has_no_time_left():
    assert folded(STARTED, epoch(1), state("stopped")).history().progress(0.0).seconds_left is None


def test_summary_has_the_result_and_the_last_epoch_without_layers():
    told = [epoch(1, 0.5), epoch(2, 0.9), epoch(3, 0.9), epoch(4, 0.7)]
    figures = summary(folded(*told, finished(*told) | {"result": told[1]}).history())
    assert (figures["epochs"], figures["result"]["epoch"], figures["last"]["epoch"]) == (4, 2, 4)
    assert figures["result"]["sparsity"] == {"exact": 0.25, "near": 0.5, "weights": 8, "layers": {}}
    assert summary(folded(STARTED).history()) is None


OF_OLD = "Stopped early: validation was not better. The weights saved are those of epoch 2, the best."


@pytest.mark.parametrize(
    ("ending", "result", "is_chosen"),
    [
        ([], 3, False),  # live: the last so far
        ([state("finished")], 3, False),
        ([state("finished", OF_OLD)], 2, True),
        ([state("failed", "Loss. The weights saved are those of epoch 9, the last that ended.")], 3, False),
    ],
)
def test_the_result_is_the_epoch_whose_weights_are_saved(ending, result, is_chosen):
    history = folded(epoch(1, 0.5), epoch(2, 0.9), epoch(3, 0.7), *ending).history()
    assert (history.result["epoch"], history.is_chosen) == (result, is_chosen)


def test_the_chosen_epoch_is_said_once_where_it_is_said_beside_the_figures():
    told = [epoch(1, 0.5), epoch(2, 0.9), epoch(3, 0.7)]
    chosen = folded(*told, state("finished", OF_OLD)).history()
    assert chosen.reason_beside_choice == "Stopped early: validation was not better."
    last = "Loss. The weights saved are those of epoch 3, the last that ended."
    assert folded(*told, state("failed", last)).history().reason_beside_choice == last


def test_before_an_epoch_has_ended_there_is_no_result():
    history = folded(STARTED, state("stopped")).history()
    assert history.result is None and not history.is_chosen


def test_each_regulariser_has_a_line_of_its_own_and_older_runs_have_none():
    fold = HistoryBuilder()
    step = {"event": "step", "step": 1, "epoch": 0.5, "loss": 1.0, "penalty": 0.5, "learning_rate": 0.1}
    fold.add(step)
    assert fold.history().penalties == {} == fold.history().strengths
    for i, value in enumerate((0.25, None, float("inf"), 0.75)):
        fold.add(step | {"epoch": 1.0 + i, "penalties": {"l1": value, "l2": 0.1}, "strengths": {"l1": 1e-3}})
    assert fold.history().penalties["l1"] == ((1.0, 4.0), (0.25, 0.75))
    assert fold.history().penalties["l2"].x == (1.0, 2.0, 3.0, 4.0)
    assert fold.history().strengths["l1"].y == (1e-3,) * 4


def test_a_run_too_fast_for_steps_has_its_lines_from_its_epochs():
    fold = HistoryBuilder()
    for number in (1, 2):
        fold.add(epoch(number) | {"penalties": {"l1": 0.5 / number}, "strengths": {"l1": 0.1}})
    assert fold.history().penalties["l1"] == ((1, 2), (0.5, 0.25))


def test_at_its_end_an_epochs_own_batches_replace_those_that_were_told():
    ended = epoch(1) | {"batch_losses": {"steps": [1, 2], "losses": [3.0, 2.0]}}
    history = folded(STARTED, step(1, 9.0), ended, step(3, 1.5)).history()
    assert history.loss == ((0.5, 1.0, 1.5), (3.0, 2.0, 1.5))
    assert history.epochs == (epoch(1),)  # what is drawn from lines is not kept twice


def test_time_left_counts_what_was_trained_since_the_last_resume_only():
    """Two slow epochs were trained elsewhere; the steps and the epoch since the resume are fast."""
    started = {**STARTED, "epochs": 10}  # of two steps each
    resumed = {"event": "resumed", "step": 4, "epoch": 2.0, "edits": 0}
    told = [started, epoch(1, seconds=100.0), epoch(2, seconds=100.0), step(5), started, resumed]
    just = folded(*told, times=[0.0, 100.0, 200.0, 250.0, 1000.0, 1000.0])
    assert just.history().progress(1000.0).seconds_left is None
    just.add(step(5), 1001.0)  # half an epoch in a second
    assert just.history().progress(1001.0).seconds_left == pytest.approx(7.5 * 2)
    just.add(epoch(3, seconds=3.0), 1003.0)
    assert just.history().progress(1003.0).seconds_left == pytest.approx(7 * 3)


def test_the_rest_of_an_epoch_that_was_cut_is_not_taken_for_a_whole_one():
    started = {**STARTED, "epochs": 10}
    resumed = {"event": "resumed", "step": 5, "epoch": 2.5, "edits": 0}
    told = [started, epoch(1, seconds=2.0), epoch(2, seconds=2.0), step(5), started, resumed]
    builder = folded(*told, times=[0.0, 2.0, 4.0, 5.0, 100.0, 100.0])
    builder.add(epoch(3, seconds=1.0), 101.0)  # its second half
    assert builder.history().progress(101.0).seconds_left == pytest.approx(7 * 2.0)
    builder.add(epoch(4, seconds=2.0), 103.0)
    assert builder.history().progress(103.0).seconds_left == pytest.approx(6 * 2.0)
