"""A class is refreshed less often the larger it is, and a viewer who left is forgotten."""

import pytest
import streamlit as st

from pages.features.live import audience


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(audience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(audience.random, "uniform", lambda low, high: 1.0)
    monkeypatch.setattr(audience, "_seen", {})
    return now


@pytest.fixture
def ask(monkeypatch):
    """A visit's turn: the seconds until its next."""

    def ask(visit, run="run"):
        monkeypatch.setattr(st, "session_state", {"augury.visit": str(visit)})
        return audience.refresh_seconds(run)

    return ask


def test_six_viewers_each_second_thirty_each_five(clock, ask):
    alone = audience.ALONE_SECONDS
    assert 1 / alone > 2
    assert [ask(visit) for visit in range(30)] == [alone] + [1.0] * 5 + [2.0] * 6 + [3.0] * 6 + [4.0] * 6 + [
        5.0
    ] * 6
    assert ask(0) == 5.0  # who came first takes turns with the others from the next time on
    assert ask("elsewhere", "another run") == alone
    assert audience.is_alone("another run") and not audience.is_alone("run")


def test_a_viewer_who_has_not_asked_for_long_is_forgotten(clock, ask):
    for visit in range(20):
        ask(visit)
    clock[0] += audience.FORGOTTEN_SECONDS - 1
    assert ask(0) == 4.0
    clock[0] += 2
    assert ask(0) == audience.ALONE_SECONDS
    assert set(audience._seen["run"]) == {"0"}
    ask(1, "another run")
    clock[0] += 2 * audience.FORGOTTEN_SECONDS
    ask(2, "a third")
    assert set(audience._seen) == {"a third"}  # a run that nobody watches is forgotten too


def test_in_a_large_class_nobody_is_forgotten_between_two_turns(clock, ask):
    for visit in range(84):
        ask(visit)
    clock[0] += 14.0
    assert ask(0) == 14.0


def test_turns_differ_by_a_quarter_by_chance(monkeypatch, ask):
    monkeypatch.setattr(audience, "_seen", {})
    waits = [ask(visit % 60) for visit in range(360)][60:]
    assert min(waits) >= 7.5 and max(waits) <= 12.5 and len(set(waits)) > 100


def test_however_many_visits_somebody_opens_nobody_waits_longer_than_a_bound(clock, ask):
    for second in range(60):
        clock[0] += 1
        for visit in range(100):
            assert ask(f"{second}.{visit}") <= audience.MOST_SECONDS
    assert len(audience._seen["run"]) <= 100 * (2 * audience.MOST_SECONDS + 1)
    clock[0] += 2 * audience.MOST_SECONDS + 1
    assert ask("honest") == audience.ALONE_SECONDS
