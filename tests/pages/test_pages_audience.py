"""A class is refreshed less often the larger it is, and a viewer who left is forgotten."""

import pytest
import streamlit as st

from pages.features.live import audience


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(audience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(audience, "_seen", {})
    return now


def come(monkeypatch, visit):
    monkeypatch.setattr(st, "session_state", {"augury.visit": visit})


def test_eight_viewers_each_second_thirty_each_four(clock, monkeypatch):
    waits = []
    for visit in range(30):
        come(monkeypatch, str(visit))
        waits.append(audience.refresh_seconds("run"))
    assert waits == [1.0] * 8 + [2.0] * 8 + [3.0] * 8 + [4.0] * 6
    come(monkeypatch, "elsewhere")
    assert audience.refresh_seconds("another run") == 1.0


@pytest.mark.parametrize("chance", [1.0, 1.4, 2.0])
def test_an_interval_settles_before_it_is_changed(clock, monkeypatch, chance):
    """How long is a matter of chance, so that a class that came together does not ask together ever after."""
    monkeypatch.setattr(audience.random, "uniform", lambda low, high: min(max(chance, low), high))
    come(monkeypatch, "first")
    interval = audience.refresh_seconds("run")
    first = dict(st.session_state)
    for visit in range(20):
        come(monkeypatch, str(visit))
        audience.refresh_seconds("run")
    monkeypatch.setattr(st, "session_state", first)
    clock[0] += chance * audience.SETTLED_SECONDS - 0.1
    assert not audience.outdated("run", interval)
    clock[0] += 0.2
    assert audience.outdated("run", interval)
    clock[0] += audience.FORGOTTEN_SECONDS
    assert not audience.outdated("run", interval)  # the twenty have said nothing for so long: they left
