import os

import pytest

from core.runtime import SPINS, prepare_environment, thread_count


def test_what_a_person_has_set_stays():
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}
    prepare_environment(environment)
    assert environment["OMP_WAIT_POLICY"] == "ACTIVE" and "GOMP_SPINCOUNT" not in environment
    fresh: dict[str, str] = {}
    prepare_environment(fresh)
    assert fresh["OMP_WAIT_POLICY"] == "PASSIVE" and "CUBLAS_WORKSPACE_CONFIG" in fresh
    assert fresh["GOMP_SPINCOUNT"] == str(SPINS)
    spinning = {"GOMP_SPINCOUNT": "7"}
    prepare_environment(spinning)
    assert spinning["GOMP_SPINCOUNT"] == "7"


@pytest.mark.parametrize(("asked", "threads"), [("3", 3), ("0", None), ("many", None), ("", None)])
def test_threads_are_as_asked_or_all_there_are(monkeypatch, asked, threads):
    monkeypatch.delenv("AUGURY_EXECUTOR", raising=False)
    monkeypatch.setenv("AUGURY_THREADS", asked)
    assert thread_count() == (threads or len(os.sched_getaffinity(0)))


def test_training_in_the_servers_own_thread_takes_one(monkeypatch):
    monkeypatch.delenv("AUGURY_THREADS")
    monkeypatch.setenv("AUGURY_EXECUTOR", "thread")
    assert thread_count() == 1
