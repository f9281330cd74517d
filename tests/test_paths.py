"""Sentences for a class hold no path of the server."""

import pytest

from core.text.paths import without_paths


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[Errno 20] Not a directory: '/home/a b/runs/1c0a'", "[Errno 20] Not a directory: '…'"),
        ("failed at /home/x/y.py: line 3", "failed at …: line 3"),
        (r"C:\Users\me\a.py broke", "… broke"),
        ("(/tmp/a), ~/x/y and file:///etc/passwd", "(…), … and …"),
        ('no file "/var/lib/a"', "no file '…'"),
        ("2/3 of 1.5 GiB, 3 / 4, img/s and w/o", "2/3 of 1.5 GiB, 3 / 4, img/s and w/o"),
    ],
)
def test_a_path_is_an_ellipsis(said, shown):
    assert without_paths(said) == shown
