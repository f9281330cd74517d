"""Files that visitors send share one budget in memory."""

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages.features.frame.upload_budget import share_budget


def record(name, size):
    return UploadedFileRec(name, f"{name}.zip", "application/zip", b"x" * size)


def held(files):
    return {name: len(file.data) for each in files.file_storage.values() for name, file in each.items()}


def manager(**limits):
    files = MemoryUploadedFileManager("/upload")
    share_budget(files, **limits)
    return files


def test_the_oldest_of_all_visitors_make_place():
    files = manager(most_bytes=100)
    for i in range(50):
        files.add_file(f"visit {i % 3}", record(str(i), 30))
    assert held(files) == {"47": 30, "48": 30, "49": 30}


def test_a_file_larger_than_all_is_kept_alone_and_one_sent_again_counts_once():
    files = manager(most_bytes=100)
    files.add_file("a", record("1", 60))
    files.add_file("a", record("1", 70))
    files.add_file("b", record("2", 30))
    assert held(files) == {"1": 70, "2": 30}
    files.add_file("b", record("3", 1000))
    assert held(files) == {"3": 1000}


def test_what_a_visitor_takes_back_makes_place():
    files = manager(most_bytes=100, most_files=2)
    files.add_file("a", record("1", 50))
    files.add_file("b", record("2", 50))
    files.remove_file("a", "1")
    files.add_file("a", record("3", 50))
    assert held(files) == {"2": 50, "3": 50}
    files.remove_session_files("b")
    files.add_file("c", record("4", 1))
    assert held(files) == {"3": 50, "4": 1}
    files.add_file("c", record("5", 1))
    assert held(files) == {"4": 1, "5": 1}
