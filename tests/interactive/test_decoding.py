"""Strangers' bytes in a process with limits: what it answers, what it costs, what it survives."""

import base64
import io
import json
import shutil
import sys
import time
import zipfile

import numpy as np
import psutil
import pytest
from PIL import Image
from pydantic import ValidationError

from core.data.cache import kept
from core.data.catalogue import load_dataset
from core.data.images import upload_images
from core.data.photos import FOLDER
from core.interactive import decoding
from core.interactive.client import DECODING, Interactive
from core.interactive.errors import NoAnswerError
from core.run.errors import SpecError
from core.run.spec import DataSpec
from core.store.store import Store
from tests.export.archives import ID, archived, stored

pytestmark = pytest.mark.alone


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def decoder(home):
    decoder = Interactive(DECODING)
    yield decoder
    decoder.close()


def answer(kind, **args):
    return json.loads(json.dumps(decoding.ANSWERS[kind](json.dumps(args).encode())))


def text(content):
    return base64.b64encode(content).decode()


def png(image, **how):
    stream = io.BytesIO()
    image.save(stream, "PNG", **how)
    return stream.getvalue()


def small_zip(count=8):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for i in range(count):
            archive.writestr(f"{'ab'[i % 2]}/{i}.png", png(Image.new("RGB", (20, 20), (255 * (i % 2), i, 0))))
    return stream.getvalue()


def test_a_picture_is_its_pixels():
    photo = (FOLDER / "rocket.jpg").read_bytes()
    (expected,), _ = upload_images([("", photo)], 64, 3)
    told = answer("picture", name="mine.jpg", content=text(photo), side=64)
    assert base64.b64decode(told["pixels"]) == expected.tobytes() and told["refusal"] == ""


def test_a_bad_picture_is_refused_in_words():
    told = answer("picture", name="bad.png", content=text(b"no picture"), side=64)
    assert told == {"pixels": None, "refusal": "bad.png is not a PNG, JPEG, WebP, BMP, GIF or TIFF image."}


def test_a_picture_has_at_most_ten_megabytes():
    with pytest.raises(ValidationError):
        answer("picture", name="a", content=text(bytes(decoding.MAX_PICTURE_BYTES + 1)), side=64)


def test_a_zip_is_checked_and_kept(tmp_path):
    bad, good = tmp_path / "bad.zip", tmp_path / "good.zip"
    bad.write_bytes(b"not a zip")
    with pytest.raises(SpecError, match="zip"):
        answer("upload", path=str(bad))
    good.write_bytes(small_zip())
    path = answer("upload", path=str(good), place="there")["path"]
    assert load_dataset(DataSpec(name="folder", path=path)).classes == ("a", "b")


@pytest.mark.parametrize("bad", [["../../etc/passwd"], ["upload:short"], ["upload:" + "0" * 64] * 501])
def test_the_uploads_that_stay_are_named_as_uploads_and_bounded(tmp_path, bad):
    with pytest.raises(ValidationError):
        answer("upload", path=str(tmp_path / "x.zip"), in_use=bad)


def test_another_side_is_decoded_into_the_cache_of_all(tmp_path, decoder):
    (tmp_path / "good.zip").write_bytes(small_zip())
    path = decoder.ask("a", "upload", {"path": str(tmp_path / "good.zip")}, keep=False)["path"]
    told = decoder.ask("a", "dataset", {"data": {"name": "folder", "path": path, "side": 48}}, keep=False)
    assert told == {"num_images": 8}
    found = load_dataset(DataSpec(name="folder", path=path, side=48))
    assert isinstance(found.images.base, np.memmap) or found.images.base is not None
    assert found.images.shape == (8, 3, 48, 48) and kept("0" * 64) is None


def worker_memory():
    """The decoding worker's, in MiB."""
    (worker,) = [each for each in psutil.Process().children() if "decode" in each.cmdline()]
    return worker.memory_info().rss / 2**20


def test_no_worker_has_torch_and_each_is_small(decoder):
    decoder.ask("a", "picture", {"name": "a", "content": "", "side": 64}, keep=False)
    assert worker_memory() < 120


def test_64_million_pixels_of_each_sort_are_read_in_bounds(decoder):
    """By hand 1.1 to 1.5 GB each before."""
    for image, how in (
        (Image.new("P", (8000, 8000)), {"transparency": b"\x10" * 256}),
        (Image.new("I;16", (8000, 8000), 257 * 80), {}),
    ):
        told = decoder.ask(
            "a", "picture", {"name": "large", "content": text(png(image, **how)), "side": 224}, keep=False
        )
        assert told["refusal"] == ""
        assert worker_memory() < 500


def test_what_needs_more_memory_than_there_is_costs_a_sentence_and_the_next_is_answered(tmp_path):
    limited = (
        f"import resource, sys\nfrom core.interactive import decoding, worker\n"
        f"decoding.MOST_ADDRESSES = {400 * 2**20}\nsys.exit(worker.serve(decoding.load_answers))"
    )
    decoder = Interactive((sys.executable, "-c", limited))
    try:
        large = text(png(Image.new("RGB", (8000, 8000))))
        with pytest.raises(NoAnswerError):
            told = decoder.ask("a", "picture", {"name": "large", "content": large, "side": 64}, keep=False)
            assert "cut short or broken" in told["refusal"]  # Pillow had too little
            raise NoAnswerError(told["refusal"])
        small = text(png(Image.new("RGB", (80, 80))))
        told = decoder.ask("b", "picture", {"name": "small", "content": small, "side": 64}, keep=False)
        assert told["refusal"] == ""
    finally:
        decoder.close()


def test_one_that_takes_too_long_is_ended_and_the_next_is_answered(decoder, tmp_path):
    (tmp_path / "many.zip").write_bytes(small_zip(3000))
    decoder.ask("a", "picture", {"name": "a", "content": "", "side": 64}, keep=False)
    began = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"longer than 0.1 s"):
        decoder.ask("a", "upload", {"path": str(tmp_path / "many.zip")}, keep=False, timeout=0.1)
    small = text(png(Image.new("RGB", (80, 80))))
    told = decoder.ask("b", "picture", {"name": "small", "content": small, "side": 64}, keep=False)
    assert told["refusal"] == "" and time.monotonic() - began < 10


def test_an_archive_of_a_run_is_read_there_and_its_run_is_in_the_store(tmp_path, decoder, home):
    store = Store()
    stored(store)
    content = archived(tmp_path, ID)
    store.close()
    shutil.rmtree(home)
    given = tmp_path / "a.augury.zip"
    asked = {"path": str(given), "visitor": "there/visit"}
    for bad in (b"no zip", content[:-200], content.replace(b"1/events", b"1/evEnts")):
        given.write_bytes(bad)
        with pytest.raises(SpecError):
            decoder.ask("a", "archive", asked, keep=False)
    given.write_bytes(content)
    told = decoder.ask("a", "archive", asked, keep=False)
    assert told == {"runs": [{"id": ID, "is_new": True, "was": ID}]}
    store = Store()
    assert store.run(ID).visitor == "there/visit"
    store.close()
    assert worker_memory() < 160
