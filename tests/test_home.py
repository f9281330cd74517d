"""Where Augury keeps things, and who may look there."""

import stat
from pathlib import Path

import platformdirs
import pytest

from core.home import home


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_new_home_is_for_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "above" / "mine"))
    assert home() == tmp_path / "above" / "mine"
    assert mode(home()) == 0o700


def test_a_folder_that_a_person_chose_and_made_stays_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o750)
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path / "shared"))
    assert mode(home()) == 0o750


@pytest.mark.parametrize("before", [None, 0o755])
def test_the_platforms_folder_is_closed_to_others(tmp_path, monkeypatch, before):
    monkeypatch.delenv("AUGURY_HOME")
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *args, **kwargs: tmp_path / "augury")
    if before is not None:
        (tmp_path / "augury").mkdir()
        (tmp_path / "augury").chmod(before)
    assert mode(home()) == 0o700
