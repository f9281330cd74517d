"""The one manager of jobs, as pages have it."""

import streamlit as st

from core.jobs.shared import forget_shared_jobs
from core.run.spec import parse
from pages.features.frame.setup import jobs

LONG = parse(
    {
        "data": {"name": "digits", "train_images": 200},
        "model": {"arch": "mlp", "params": {"hidden": [8]}},
        "train": {"epochs": 1000, "device": "cpu"},
    }
)


def test_clearing_streamlits_caches_leaves_the_manager_and_its_run_alone(home):
    """Any visitor's browser can send the message that asks for it."""
    before = jobs()
    run_id = before.submit(LONG)
    before.wait_for_step(run_id, 60)
    st.cache_resource.clear()
    st.cache_data.clear()
    assert jobs() is before
    version = before.view(run_id).version
    before.wait_for_step(run_id, 60)
    assert (before.view(run_id).state, before.closed) == ("running", False)
    assert before.view(run_id).version >= version
    before.stop(run_id)
    assert before.wait(run_id, 60).state == "stopped"
    forget_shared_jobs()
    assert jobs() is not before
