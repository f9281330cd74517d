"""Decoded datasets on disk: made once, private, mapped, mended when damaged, and never half there."""

import json
import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from image_files import plain, two_classes, zipped

from core.data import cache, folder
from core.data.cache import cached, key
from core.data.catalogue import DATASETS, load_dataset
from core.data.dataset import Dataset
from core.data.own import LOADS
from core.data.uploads import keep_upload
from core.run.errors import SpecError
from core.run.spec import DataSpec


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def decoded(monkeypatch):
    """A list that grows by one each time that images are decoded."""
    calls: list[int] = []
    gather = folder._read

    def counted(*args):
        calls.append(1)
        return gather(*args)

    monkeypatch.setattr(folder, "_read", counted)
    return calls


def numbered(value: int = 7, images: int = 4) -> Dataset:
    pixels = np.full((images, 1, 8, 8), value, dtype=np.uint8)
    return Dataset(pixels, np.arange(images, dtype=np.int64) % 2, ("a", "b"), ("a note",))


def never() -> Dataset:
    pytest.fail("decoded again")


def place(home: Path, name: str) -> Path:
    return home / "cache" / "datasets" / name


def same(a: Dataset, b: Dataset) -> bool:
    pixels = np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)
    return pixels and (a.classes, a.notes) == (b.classes, b.notes)


# Made once


def test_what_is_made_once_is_read_after(home):
    first = cached("a", numbered)
    assert same(first, numbered()) and same(cached("a", never), first)
    assert first.images.dtype == np.uint8 and first.labels.dtype == np.int64
    assert isinstance(first.images.base, np.memmap), "mapped, and not in this process's own memory"
    assert same(cached("b", lambda: numbered(8)), numbered(8))


def test_nobody_can_write_into_what_all_share():
    for dataset in (cached("a", numbered), cached("a", never)):
        for array in (dataset.images, dataset.labels):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_a_zip_is_decoded_once_for_each_shape(tmp_path, decoded):
    path = tmp_path / "mine.zip"
    path.write_bytes(zipped(two_classes()))
    specs = [
        DataSpec(name="folder", path=str(path), side=side, channels=n) for side in (8, 9) for n in (1, 3)
    ]
    for spec in specs * 2:
        assert load_dataset(spec).images.shape == (6, spec.channels, spec.side, spec.side)
    assert len(decoded) == 4


def test_how_it_is_split_does_not_matter(tmp_path, decoded):
    path = tmp_path / "mine.zip"
    path.write_bytes(zipped(two_classes()))
    for share in (0.2, 0.3):
        load_dataset(DataSpec(name="folder", path=str(path), validation_share=share))
    assert len(decoded) == 1


def test_an_upload_is_decoded_when_it_is_checked_and_not_again(decoded):
    path, form = keep_upload(zipped(two_classes()))
    spec = DataSpec(name="folder", path=path, **form._asdict())
    assert len(load_dataset(spec)) == 6
    assert len(decoded) == 1


def test_what_is_refused_is_not_kept(home):
    def refuse() -> Dataset:
        raise SpecError("data.path", "no.")

    for _ in range(2):
        with pytest.raises(SpecError):
            cached("a", refuse)
    assert same(cached("a", numbered), numbered())


# Under which name


@pytest.fixture
def own(tmp_path):
    """A folder of images on this machine, as a spec."""
    for name, content in two_classes().items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return DataSpec(name="folder", path=str(tmp_path / "mine"), side=8)


def test_a_folder_that_stays_is_decoded_once(own, decoded):
    assert same(load_dataset(own), load_dataset(own))
    assert len(decoded) == 1


@pytest.mark.parametrize("change", ["content", "time", "added", "removed", "renamed"])
def test_a_folder_that_changes_is_decoded_anew(own, decoded, change):
    load_dataset(own)
    cat = Path(own.path, "cats", "0.png")
    before = cat.stat()
    if change == "content":  # of the same size, and as old as before
        cat.write_bytes(plain(99).ljust(before.st_size, b"\0")[: before.st_size])
        os.utime(cat, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "time":
        os.utime(cat, (1, 1))
    elif change == "added":
        cat.with_name("more.png").write_bytes(plain(1))
    elif change == "removed":
        cat.unlink()
    else:
        cat.rename(cat.with_name("zero.png"))
    load_dataset(own)
    assert len(decoded) == 2


def test_a_change_of_a_decoder_is_a_change_of_name(monkeypatch):
    before = key(LOADS, "upload:x", 32, 3)
    assert before == key(LOADS, "upload:x", 32, 3)
    others = [key(LOADS, "upload:y", 32, 3), key(LOADS, "upload:x", 33, 3), key("core.data.arrows:arrows")]
    monkeypatch.setattr(cache, "_decoders", lambda: "changed")
    others.append(key(LOADS, "upload:x", 32, 3))
    assert len({before, *others}) == 5


# Damage


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "about.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "noise"])
def test_what_is_damaged_is_made_anew(home, name, damage):
    cached("a", numbered)
    file = place(home, "a") / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": content[:-9], "empty": b"", "noise": bytes(range(256)) * 3}[damage])
    assert same(cached("a", numbered), numbered())
    assert same(cached("a", never), numbered())


class Trap:
    """What touches a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_pickles_are_never_opened(home, tmp_path):
    cached("a", numbered)
    trapped = np.array([Trap(tmp_path / "sprung")], dtype=object)
    for name in ("labels.npy", "images.npy"):
        np.save(place(home, "a") / name, trapped, allow_pickle=True)
        assert same(cached("a", numbered), numbered())
    assert not (tmp_path / "sprung").exists()


def test_labels_that_changed_are_noticed(home):
    cached("a", numbered)
    np.save(place(home, "a") / "labels.npy", np.zeros(4, dtype=np.int64))
    assert same(cached("a", numbered), numbered())


def test_a_full_disk_costs_only_the_cache(home, monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert same(cached("a", numbered), numbered())
    assert list((home / "cache" / "datasets").iterdir()) == []


KILLED = """
import os, signal
import numpy as np
from core.data.cache import cached
from core.data.dataset import Dataset
save = np.save
def killed(file, array, **options):
    save(file, array, **options)
    if array.ndim == 1:
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
np.save = killed
cached("a", lambda: Dataset(np.zeros((4, 1, 8, 8), np.uint8), np.zeros(4, np.int64), ("a", "b")))
"""


def test_a_killed_writer_leaves_nothing_that_is_read_and_is_swept_later(home):
    done = subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "AUGURY_HOME": str(home)})
    assert done.returncode == -9
    (left,) = (home / "cache" / "datasets").iterdir()
    assert left.name.startswith("tmp-")
    assert same(cached("a", numbered), numbered())
    assert left.exists(), "its writer might still be at work"
    os.utime(left, (time.time() - 7200,) * 2)
    cached("b", numbered)
    assert {each.name for each in (home / "cache" / "datasets").iterdir()} == {"a", "b"}


# Several at once


def _decode_slowly() -> Dataset:
    time.sleep(0.2)
    return numbered()


def _in_a_process(together, results) -> None:
    together.wait()
    results.put(same(cached("a", _decode_slowly), numbered()))


def test_two_processes_at_once_both_get_it(home):
    start = multiprocessing.get_context("spawn")
    together, results = start.Barrier(2), start.Queue()
    both = [start.Process(target=_in_a_process, args=(together, results)) for _ in range(2)]
    for process in both:
        process.start()
    assert [results.get(timeout=60), results.get(timeout=60)] == [True, True]
    for process in both:
        process.join()
    assert [each.name for each in (home / "cache" / "datasets").iterdir()] == ["a"]
    assert same(cached("a", never), numbered())


def test_threads_decode_once_and_one_at_a_time():
    inside, most, calls = [], [], []

    def decode() -> Dataset:
        calls.append(1)
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.05)
        inside.pop()
        return numbered()

    names = ["a", "b", "a", "b", "a", "b"]
    threads = [threading.Thread(target=cached, args=(name, decode)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 2 and max(most) == 1


# How much


def test_what_was_not_used_for_longest_makes_room_and_mapped_images_stay(home, monkeypatch):
    kept = [cached(name, lambda i=i: numbered(i, images=100)) for i, name in enumerate("abc")]
    size = sum(file.stat().st_size for file in place(home, "a").iterdir())
    for age, name in ((300, "a"), (200, "b"), (100, "c")):
        os.utime(place(home, name), (time.time() - age,) * 2)
    cached("a", never)  # in use again
    monkeypatch.setenv("AUGURY_CACHE_BYTES", str(3 * size + 10))
    cached("d", lambda: numbered(3, images=100))
    assert {each.name for each in (home / "cache" / "datasets").iterdir()} == {"a", "c", "d"}
    assert (kept[1].images == 1).all(), "who had it goes on reading it"


def test_the_newest_stays_even_if_it_alone_is_too_large(home, monkeypatch):
    monkeypatch.setenv("AUGURY_CACHE_BYTES", "1")
    cached("a", numbered)
    cached("b", numbered)
    assert [each.name for each in (home / "cache" / "datasets").iterdir()] == ["b"]


def test_a_limit_that_is_no_number_is_the_default(monkeypatch):
    monkeypatch.setenv("AUGURY_CACHE_BYTES", "lots")
    assert cache._most_bytes() == 4 * 2**30


def test_only_this_user_reads_it(home):
    cached("a", numbered)
    for each in (home, home / "cache" / "datasets", place(home, "a"), *place(home, "a").iterdir()):
        assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0, each


def test_what_is_there_says_what_it_is(home):
    cached("a", numbered)
    about = json.loads((place(home, "a") / "about.json").read_text())
    assert about["classes"] == ["a", "b"] and about["shape"] == [4, 1, 8, 8] and about["notes"] == ["a note"]


def test_a_cache_that_is_removed_under_way_is_made_again(home):
    cached("a", numbered)
    shutil.rmtree(home / "cache")
    assert same(cached("a", numbered), numbered())


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if entry.slow])
def test_a_slow_bundled_set_comes_back_as_it_was_made(name):
    from core.catalogue import imported

    made = imported(DATASETS[name].loads)()
    assert same(cached("a", lambda: made), made) and same(cached("a", never), made)
