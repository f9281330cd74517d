"""What a run's page shows of its validation images, its mistakes and its layers, and how it says its end."""

import base64
import io

import pytest
from PIL import Image
from test_pages_run import PAGE, SPEC, components, stored, texts
from visiting import place

from core.jobs.views import RunView
from core.run.history import HistoryBuilder
from core.text.escape import plain
from pages.features.live import end_toast
from pages.features.live.tab_title import title_of_tab
from tests import made_up_run


def picture():
    content = io.BytesIO()
    Image.new("L", (3 * 8, 8)).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def told(event):
    """The made-up run's event as one that can be watched: two images right, one taken for another class."""
    if event["event"] == "started":
        return event | {"strip": {"images": picture(), "labels": [0, 1, 0]}}
    if event["event"] == "epoch":
        return event | {
            "answers": {"answers": [0, 1, 1], "confidence": [0.9, 0.8, 0.55]},
            "confusion": [[8, 3], [2, 7]],
            "acted": {"clipping": 0.25, "gone*": 1.0},  # of a kind that there is no more
            "flow": {"gradient": {"conv1": 0.5, "fc": 0.1}, "update": {"conv1": 2e-3, "fc": 1e-3}},
        }
    return event


EVENTS = [told(event) for event in made_up_run.events()]


def test_the_validation_images_are_shown_with_what_the_network_names(open_page):
    visit = open_page(PAGE, run=stored(EVENTS))
    assert not visit.exception
    tiles = components(visit)["strip"]["tiles"]
    assert [tile["caption"] for tile in tiles] == ["0", "1", "0 → 1"]
    assert [tile["mark"] for tile in tiles] == ["right", "right", "wrong"]
    assert [tile["lines"][0]["value"] for tile in tiles] == ["90%", "80%", "55%"]
    assert "After epoch 6: 2 of the same 3 correct" in texts(visit)


def test_before_the_first_epoch_they_stand_there_with_their_labels(open_page):
    visit = open_page(PAGE, run=stored([*EVENTS[:3], {"event": "state", "state": "stopped"}]))
    assert not visit.exception
    assert [tile["caption"] for tile in components(visit)["strip"]["tiles"]] == ["0", "1", "0"]


def test_answers_of_a_class_that_is_not_there_are_drawn_all_the_same(open_page):
    wrong = {"answers": {"answers": [0, 99, 1], "confidence": [0.9, 0.8, 0.5]}, "confusion": [[1]]}
    damaged = [event | wrong if event["event"] == "epoch" else event for event in EVENTS]
    run_id = stored(damaged)
    assert not open_page(PAGE, run=run_id, **place("Mistakes")).exception
    visit = open_page(PAGE, run=run_id)
    assert not visit.exception
    assert components(visit)["strip"]["tiles"][1]["caption"] == "1 → ?"


def test_a_run_without_weights_has_its_last_matrix(open_page):
    visit = open_page(PAGE, run=stored(EVENTS), **place("Mistakes"))
    assert not visit.exception and "left no weights" in texts(visit)
    assert "After epoch 6: **5 mistakes** in 20 validation images." in texts(visit)
    cells, numbers = components(visit)["mistakes.now"]["figure"]["data"]
    assert cells["z"] == [[None, 3], [2, None]] and numbers["text"] == ["8", "3", "2", "7"]


@pytest.mark.parametrize(("way", "now"), [("Updates", "conv1 2.0e-03"), ("Gradients", "fc 1.0e-01")])
def test_layers_show_gradients_and_updates(open_page, way, now):
    visit = open_page(PAGE, run=stored(EVENTS), **place("Layers"))
    next(each for each in visit.segmented_control if each.label == "Shown as").set_value(way).run()
    assert not visit.exception and now in components(visit)[f"layers.{way}"]["alt"]
    for said in (
        "Gradient clipping (by norm) acted in 25 % of the last epoch's 4 steps.",
        plain("gone* acted in 100 % of the last epoch's 4 steps."),
    ):
        assert (said in texts(visit)) == (way == "Gradients")


def view(*events):
    folded = HistoryBuilder()
    for event in events:
        folded.add(event)
    return RunView("a" * 32, SPEC, folded.history(), 0, 0.0, None, None)


def state(name):
    return {"event": "state", "state": name, "reason": ""}


@pytest.mark.parametrize(
    ("events", "title"),
    [
        ([state("queued")], "… Sparse"),
        (EVENTS[:12], "▶ 33 % · Sparse"),
        ([*EVENTS[:12], state("paused")], "⏸ 33 % · Sparse"),
        (EVENTS, "✓ 75.0 % · Sparse"),
        ([*EVENTS[:12], state("stopped")], "■ 75.0 % · Sparse"),
        ([*EVENTS[:2], state("stopped")], "■ Sparse"),
        ([*EVENTS[:12], state("failed")], "✗ Sparse"),
    ],
)
def test_the_title_of_the_tab(events, title):
    assert title_of_tab(view(*events)) == title


def test_a_toast_comes_once_to_who_saw_the_run_alive(monkeypatch):
    said, visit = [], {}
    monkeypatch.setattr(end_toast.st, "toast", lambda words, **_: said.append(words))
    monkeypatch.setattr(end_toast.st, "session_state", visit)
    end_toast.end_toast(view(*EVENTS))
    assert said == []  # a run that had ended when it was opened
    end_toast.end_toast(view(*EVENTS[:12]))
    for _ in range(2):
        end_toast.end_toast(view(*EVENTS))
    assert (
        said == [plain("Sparse has finished: validation accuracy 75.0 % (15 of 20; 53–89).")] and visit == {}
    )
