"""What a run tells those who watch it: a fixed strip of validation images, and a confusion matrix."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import confusion_matrix

from core.catalogues import completed
from core.measure.named import MOST_CLASSES, named
from core.run.events import MAX_EVENT_BYTES, lean, read_event
from core.run.history import HistoryBuilder, summary
from core.run.spec import parse
from core.train.evaluation import evaluate
from core.train.loop import run
from core.train.session import open_session
from core.train.strip import IMAGES, SHOWN_SIDE, strip, strip_places
from tests.train.small_runs import SMALL, epochs, last


def test_the_strip_takes_classes_in_turn():
    labels = torch.tensor([2, 2, 0, 1, 0, 0, 1, 2] * 2)
    places = strip_places(labels)
    assert labels[places].tolist() == [0, 1, 2] * 4
    assert places.tolist()[:3] == [2, 3, 0] and len(set(places.tolist())) == IMAGES
    assert strip_places(torch.tensor([1, 1, 1])).tolist() == [0, 1, 2]
    assert len(strip_places(torch.tensor([], dtype=torch.int64))) == 0


@pytest.fixture(scope="module")
def told():
    return list(run(parse(SMALL)))


def test_the_strip_is_of_validation_images_and_its_answers_are_the_networks(told):
    session = open_session(completed(parse(SMALL)))
    places = strip_places(session.validation.labels)
    shown = last(told, "started")["strip"]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown["images"]))))
    side = session.validation.side
    assert picture.shape == (side, IMAGES * side)
    for i, place in enumerate(places):
        assert (picture[:, i * side : (i + 1) * side] == session.validation.images[place, 0].numpy()).all()
    assert shown["labels"] == session.validation.labels[places].tolist() == [*range(10), 0, 1]
    for event in epochs(told):
        assert len(event["answers"]["answers"]) == IMAGES
        assert all(0.1 <= share <= 1 for share in event["answers"]["confidence"])


def test_confidence_and_matrix_are_those_of_the_judgement():
    session = open_session(completed(parse(SMALL)))
    judged, labels = evaluate(session, session.validation), session.validation.labels
    images = session.normalised(session.validation.images.float() / 255)
    with torch.no_grad():
        logits = session.model.eval()(images)
    shares = logits.softmax(1).max(1)
    assert judged.answers.equal(shares.indices)
    assert torch.allclose(judged.confidence, shares.values, atol=1e-5)
    expected = confusion_matrix(labels, shares.indices, labels=range(10)).tolist()
    assert named(labels, judged.answers, 10) == expected
    assert named(labels, judged.answers, MOST_CLASSES + 1) is None


def test_the_matrix_agrees_with_the_accuracy(told):
    for event in epochs(told):
        matrix = np.array(event["confusion"])
        assert matrix.trace() / matrix.sum() == event["validation_accuracy"]
        assert matrix.sum() == last(told, "started")["validation_images"]


def test_large_images_are_made_small_enough_for_an_event():
    session = open_session(completed(parse(SMALL)))
    noise = torch.randint(0, 256, (12, 3, 128, 128), dtype=torch.uint8)
    large = session.validation.__class__(noise, torch.arange(12) % 10, session.validation.classes)
    shown = strip(large)
    assert Image.open(io.BytesIO(base64.b64decode(shown["images"]))).size == (12 * SHOWN_SIDE, SHOWN_SIDE)
    assert len(shown["images"]) < MAX_EVENT_BYTES / 2


def test_of_old_epochs_the_matrix_is_forgotten_and_a_list_of_runs_has_none(told):
    folded = HistoryBuilder()
    for event in told:
        folded.add(read_event(json.dumps(event)))
    history = folded.history()
    assert ["confusion" in event for event in history.epochs] == [False] * 3 + [True]
    assert all("answers" in event for event in history.epochs)
    for figures in (summary(history)["last"], lean(epochs(told)[-1]), last(told, "finished")["result"]):
        assert "confusion" not in figures
    assert not {"answers", "flow"} & set(summary(history)["last"])


@pytest.mark.parametrize(
    "damage",
    [{"confusion": [[1, 2], [3]]}, {"answers": {"answers": [0], "confidence": [2.0]}}],
)
def test_what_pages_could_not_draw_is_not_read(told, damage):
    with pytest.raises(ValueError):
        read_event(json.dumps(epochs(told)[-1] | damage))
