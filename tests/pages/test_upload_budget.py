"""Files that visitors send wait on the disk and share one budget there."""

import os
import tempfile
from pathlib import Path

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages.features.frame.upload_budget import Waiting, keep_on_disk
from pages.features.frame.upload_stream import ARRIVED, Arrived


def send(files, session_id, name, size):
    """What Streamlit's handler does with a file that lies on the disk."""
    folder = Path(os.environ["AUGURY_HOME"]) / "uploads"
    folder.mkdir(exist_ok=True)
    file = tempfile.NamedTemporaryFile(dir=folder)  # noqa: SIM115
    file.write(b"x" * size)
    file.flush()
    token = ARRIVED.set(Arrived(file, size, f"{name}.zip", "application/zip"))
    files.add_file(session_id, UploadedFileRec(name, "file", "application/octet-stream", b""))
    ARRIVED.reset(token)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    return tmp_path


def manager(**limits):
    files, waiting = MemoryUploadedFileManager("/upload"), Waiting(**limits)
    keep_on_disk(files, waiting)
    return files, waiting


def held(waiting):
    return {name: size for (_, name), size in waiting.held().items()}


def test_streamlit_holds_names_alone_and_the_disk_the_content(home):
    files, waiting = manager()
    send(files, "a", "1", 1000)
    (kept,) = files.get_files("a", ["1"])
    assert (kept.name, kept.data) == ("1.zip", b"")
    file, size = waiting.get(("a", "1"))
    assert size == 1000 and Path(file.name).read_bytes() == b"x" * 1000
    assert len(list((home / "uploads").iterdir())) == 1
    waiting.drop("a", "1")
    del file
    assert list((home / "uploads").iterdir()) == [] and waiting.get(("a", "1")) is None


def test_the_oldest_of_all_visitors_make_place():
    files, waiting = manager(most_bytes=100)
    for i in range(50):
        send(files, f"visit {i % 3}", str(i), 30)
    assert held(waiting) == {"47": 30, "48": 30, "49": 30}


def test_a_file_larger_than_all_is_kept_alone_and_one_sent_again_counts_once():
    files, waiting = manager(most_bytes=100)
    send(files, "a", "1", 60)
    send(files, "a", "1", 70)
    send(files, "b", "2", 30)
    assert held(waiting) == {"1": 70, "2": 30}
    send(files, "b", "3", 1000)
    assert held(waiting) == {"3": 1000}


def test_what_a_visitor_takes_back_makes_place():
    files, waiting = manager(most_bytes=100, most_files=2)
    send(files, "a", "1", 50)
    send(files, "b", "2", 50)
    files.remove_file("a", "1")
    send(files, "a", "3", 50)
    assert held(waiting) == {"2": 50, "3": 50}
    files.remove_session_files("b")
    send(files, "c", "4", 1)
    assert held(waiting) == {"3": 50, "4": 1}
    send(files, "c", "5", 1)
    assert held(waiting) == {"4": 1, "5": 1}


def test_a_file_that_is_being_read_stays_until_it_is_let_go(home):
    files, waiting = manager(most_bytes=10)
    send(files, "a", "1", 10)
    file, _ = waiting.get(("a", "1"))
    send(files, "b", "2", 10)
    assert held(waiting) == {"2": 10} and Path(file.name).read_bytes() == b"x" * 10
