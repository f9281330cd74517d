"""A script that fails: a sentence for the visitor, a traceback in the log once for each place."""

import logging

import pytest
from streamlit.error_util import handle_user_script_exception
from streamlit.testing.v1 import AppTest

from pages.features.frame import failures


@pytest.fixture
def logged():
    """What the log of Streamlit's failures says, as text."""
    log = logging.getLogger(failures.LOGGER)
    said = []

    class Kept(logging.Handler):
        def emit(self, record):
            said.append(logging.Formatter().format(record))

    handler, filters = Kept(), [*log.filters]
    log.addHandler(handler)
    failures.log_each_failure_once()
    yield said
    log.removeHandler(handler)
    log.filters[:] = filters


def fail(what):
    raise ValueError(what)


def test_a_place_has_one_traceback_however_often_it_fails(logged):
    for i in range(50):
        try:
            fail(f"number {i} " + "x" * 3000)
        except ValueError as error:
            handle_user_script_exception(error, lambda _: True)
    assert len(logged) == 50 and "Traceback" in logged[0] and "number 0" in logged[0]
    assert all("Traceback" not in line and len(line) < 400 for line in logged[1:])
    assert "test_failures.py" in logged[1]


def test_after_many_places_no_traceback_is_written(logged, monkeypatch):
    monkeypatch.setattr(failures, "MOST_PLACES", 0)
    try:
        fail("new")
    except ValueError as error:
        handle_user_script_exception(error, lambda _: True)
    assert "Traceback" not in logged[0]


def test_the_visitor_is_told_in_a_sentence():
    def page():
        from pages.features.frame.failures import say_failure

        assert say_failure(KeyError("/home/secret"))

    visit = AppTest.from_function(page).run()
    (said,) = visit.error
    assert "Reload the page" in said.value and "secret" not in said.value
