"""Each kind of answer is what the code says that pages would otherwise call, and is JSON."""

import base64
import json

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from core.catalogues import completed
from core.data.catalogue import load_dataset
from core.interactive import decoding, sources
from core.interactive.answers import ANSWERS, warm_up
from core.interactive.errors import MissingDatasetError, MissingPicturesError
from core.interactive.sources import OwnPictures, Source, images_of, in_turn
from core.pictures import encode_images
from core.presets import FIRST_LOOK, preset
from core.preview.histograms import Histogram, histogram
from core.preview.results import preview, stages
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, DataSpec, MixSpec, OpSpec, RunSpec
from core.train.session import open_session

PHOTOS = {"photos": 64}
ARROWS = {"data": {"name": "arrows"}}


def answer(kind, **args):
    args = {
        name: each.model_dump(mode="json") if hasattr(each, "model_dump") else each
        for name, each in args.items()
    }
    return json.loads(json.dumps(ANSWERS[kind](json.dumps(args).encode()), allow_nan=False))


def look(augment=FIRST_LOOK.augment, source=PHOTOS, **more):
    return {"augment": augment, "source": source, "seed": 3, "step": 2, **more}


def test_a_preview_is_what_the_pipeline_makes():
    images = images_of(Source(photos=64)).tensor
    expected = preview(FIRST_LOOK.augment, images, seed=3, step=2)
    shown = answer("preview", **look())
    assert shown["pictures"] == encode_images(expected.results)
    assert shown["captions"][:5] == ["astronaut", "chelsea", "coffee", "rocket", "astronaut"]
    first = expected.drawn[0][0]
    assert shown["drawn"][0][0] == {
        "title": first.title,
        "fired": first.fired,
        "values": [list(value) for value in first.values],
    }
    assert shown["seconds"] > 0 and shown["device"] in ("cpu", "cuda")


def test_what_is_mixed_says_of_what():
    mixed = AugmentSpec(mix=MixSpec(op="RandomMixUpV2", p=1.0))
    assert any(" + " in caption for caption in answer("preview", **look(mixed))["captions"])


def test_stages_and_histograms_are_of_the_same_draws():
    images = images_of(Source(photos=64)).tensor
    expected = stages(FIRST_LOOK.augment, images, seed=3, step=2, image=1)
    shown = answer("stages", **look(image=1))
    assert shown["pictures"] == encode_images(torch.stack([stage.image for stage in expected]))
    assert [op["title"] for op in shown["drawn"]] == ["Affine", "Erasing", "Gaussian noise"]
    assert shown["pictures"][-1] == answer("preview", **look())["pictures"][1]
    counts = answer("histograms", **look(image=1))
    told, counted = Histogram.from_json(counts["after"]), histogram(expected[-1].image)
    assert (told.shares == counted.shares).all() and (told.white == counted.white).all()
    assert answer("stages", **look(AugmentSpec(), image=1)) == {"pictures": [], "drawn": []}


def test_a_sweep_goes_from_end_to_end():
    brighter = AugmentSpec(ops=(OpSpec(op="RandomBrightness"),))
    swept = answer("sweep", **look(brighter, image=0, op=0, parameter="brightness", frames=8, whole=False))
    assert len(swept["labels"]) == len(set(swept["pictures"])) == 8


def test_targets_are_moved_along():
    shown = answer("targets", augment=FIRST_LOOK.augment, side=64, seed=0, step=0, transplant=False)
    assert len(shown["after"]) == len(shown["before"]) == len(shown["names"]) == 8
    assert all("Objects: " in alt for alt in shown["alts"])


def test_a_flip_changes_what_an_arrow_says():
    flip = AugmentSpec(ops=(OpSpec(op="RandomHorizontalFlip"),))
    found = answer("label_changes", augment=flip, data=DataSpec(name="arrows"), seed=0)
    pairs = set(zip(found["labels"], found["reads_as"], strict=True))
    assert pairs and pairs <= {("left", "right"), ("right", "left")}
    assert len(found["before"]) == len(found["after"]) == len(found["titles"]) == len(found["labels"])
    assert answer("label_changes", augment=flip, data=DataSpec(), seed=0)["titles"] == []


def test_images_are_sixteen_and_say_their_shape():
    photos, arrows = answer("images", source=PHOTOS), answer("images", source=ARROWS)
    assert (photos["channels"], photos["side"], len(photos["pictures"])) == (3, 64, 4)
    assert (arrows["channels"], arrows["side"], len(arrows["pictures"])) == (3, 32, 16)
    assert len(photos["names"]) == len(photos["alts"]) == len(arrows["names"]) == 16
    assert set(arrows["names"]) <= {"up", "down", "left", "right"}


def test_a_plan_has_the_network_and_the_first_batch():
    plan = answer("plan", spec=completed(preset("baseline")))
    rows = plan["summary"]["rows"]
    assert sum(row["parameters"] for row in rows) == plan["summary"]["parameters"]
    assert len(plan["batch"]["pictures"]) == len(plan["batch"]["names"]) == 8
    assert (plan["num_images"], plan["too_large"]) == (5_000, "")


def test_a_batch_too_large_to_draw_for_says_so(monkeypatch):
    monkeypatch.setattr("core.preview.results._MOST_DRAWN", 2**14)
    spec = completed(preset("baseline"))
    noisy = spec.model_copy(update={"augment": FIRST_LOOK.augment})
    plan = answer("plan", spec=completed(noisy))
    assert plan["batch"] is None and "too large to preview" in plan["too_large"]


def test_a_folder_of_ones_own_is_read_once(tmp_path, monkeypatch):
    for i in range(8):
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        Image.new("RGB", (20, 20), (255 * (i % 2), i, 0)).save(tmp_path / "ab"[i % 2] / f"{i}.png")
    data = {"name": "folder", "path": str(tmp_path)}
    load_dataset(DataSpec(**data))
    read, reads = sources.kept_dataset, []
    monkeypatch.setattr(sources, "kept_dataset", lambda spec: reads.append(spec) or read(spec))
    assert set(answer("images", source={"data": data})["names"]) == {"a", "b"}
    trained_on = DataSpec(**data, side=32, channels=3, validation_share=0.5)
    assert answer("plan", spec=completed(RunSpec(data=trained_on)))["num_images"] == 8
    assert len(reads) == 1


def encoded(content):
    return base64.b64encode(content).decode()


def test_own_pictures_are_sent_once_and_known_by_their_digest():
    pixels = encoded(bytes(range(256)) * 48)  # 3 × 64 × 64
    sent = answer("remember", pixels=pixels, side=64)
    shown = answer("images", source={"own": [sent["digest"]]})
    assert shown["names"] == ["yours 1"] * 16 and len(shown["pictures"]) == 1
    assert base64.b64encode(images_of(Source(own=(sent["digest"],))).tensor[0].numpy()).decode() == pixels
    with pytest.raises(MissingPicturesError) as missing:
        answer("images", source={"own": [sent["digest"], "0" * 64]})
    assert missing.value.digests == ("0" * 64,)


@pytest.mark.parametrize("size", [0, 3 * 64 * 64 - 1, 3 * 64 * 64 + 1])
def test_pixels_that_are_no_picture_are_refused(size):
    with pytest.raises((SpecError, ValidationError)):
        answer("remember", pixels=encoded(bytes(size)), side=64)


def test_own_images_that_nobody_has_decoded_are_decoded_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    for name in "ab":
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (20, 20), (i, 0, 0)).save(tmp_path / "own" / name / f"{i}.png")
    data = {"name": "folder", "path": str(tmp_path / "own"), "side": 24}
    for _ in range(2):
        with pytest.raises(MissingDatasetError) as missing:
            answer("images", source={"data": data})
    assert missing.value.data == data | {"channels": 3, "fit": "crop"}
    assert json.loads(
        json.dumps(decoding.ANSWERS["dataset"](json.dumps({"data": missing.value.data}).encode()))
    )
    assert set(answer("images", source={"data": data})["names"]) == {"a", "b"}


def test_own_pictures_are_bounded():
    picture = torch.zeros((3, 10, 10), dtype=torch.uint8)
    kept = OwnPictures(most_bytes=700)
    a, b, c = (kept.remember(name, picture) for name in (b"a", b"b", b"c"))
    assert len(kept.pictures((b, c))) == 2
    with pytest.raises(MissingPicturesError):
        kept.pictures((a,))


def test_what_does_not_fit_is_refused_as_everywhere():
    colour = AugmentSpec(ops=(OpSpec(op="RandomHue"),))
    with pytest.raises(SpecError, match="colour"):
        answer("preview", **look(colour, {"data": {"name": "digits"}}))


@pytest.mark.parametrize(
    "bad",
    [
        {"source": {}},
        {"source": PHOTOS | ARROWS},
        {"source": {"photos": 100_000}},
        {"source": {"own": []}},
        {"source": {"own": ["../etc/passwd"]}},
        {"seed": -1},
        {"step": 10_000},
        {"more": 1},
    ],
)
def test_arguments_are_bounded(bad):
    with pytest.raises(ValidationError):
        answer("preview", **(look() | bad))


def test_warming_up_comes_to_an_end():
    assert len(list(warm_up())) == 5


def test_images_of_all_classes_come_in_turn():
    labels = np.array([2, 0, 0, 0, 1, 2, 2, 0])
    assert in_turn(labels, 6).tolist() == [1, 4, 0, 2, 5, 3]
    assert sorted(in_turn(labels, 99).tolist()) == list(range(8))


def test_validation_images_are_those_that_a_run_is_judged_by():
    spec = completed(RunSpec(seed=5, data=DataSpec(name="digits", train_images=100)))
    session = open_session(spec)
    entries = [0, 7, 3, len(session.places) - 1]
    found = answer("held_out", spec=spec, entries=entries)
    held_out = session.validation
    assert found["pictures"] == encode_images(held_out.images[entries])
    assert found["labels"] == held_out.labels[entries].tolist() and found["classes"] == list(held_out.classes)
    assert answer("held_out", spec=spec, entries=[])["pictures"] == []
    with pytest.raises(SpecError, match="no such validation image"):
        answer("held_out", spec=spec, entries=[len(session.places)])
    with pytest.raises(ValidationError):
        answer("held_out", spec=spec, entries=[0] * 65)
